"""Weighted approximate-rank pairwise loss (Gong et al. 2013, eq. 4-6; Weston et al. 2011)."""

from __future__ import annotations

import random

import keras
from keras import ops

from warptag.losses import ranks
from warptag.losses.base import count
from warptag.losses.pairwise_ranking import PairwiseRanking

RANKS = ("sampled", "loop", "exact", "expected")
NEGATIVES = ("all", "sampled")


@keras.saving.register_keras_serializable("warptag")
class WARP(PairwiseRanking):
    """Pairwise hinge in which a positive at a low rank weighs more.

    `J_i = sum over positive j, negative k of L(r_j) max(0, margin - f_j + f_k)`,
    `L(r) = 1 + 1/2 + ... + 1/r`, `r_j = floor((c - 1) / s)`, where s is the number of negatives
    drawn until one violates the margin. The weight is a constant for the gradient.

    Source: Gong et al., arXiv 1312.4894, section 3.3; Weston et al., WSABIE, IJCAI 2011.
    What the paper leaves open: negatives are drawn with replacement, at most c - 1 times, and a
    positive for which none is found has weight 0. With unknown tags (-1), c counts known tags.

    Args:
        margin: the gap asked for, positive.
        rank: `"loop"`: the paper's sampling loop, a while loop in the graph. `"sampled"`
            (default): the same distribution without the loop. `"exact"`: r_j is the number of
            violating negatives. `"expected"`: the mean of L over the sampling distribution.
        negatives: `"all"` (default): the paper's sum over all negatives. `"sampled"`: WSABIE's
            single violator, drawn uniformly among the violating negatives.
        normalization: as `PairwiseRanking`; a single sampled violator counts as one.
        seed: int for repeatable draws (fresh ones every call); None takes a random one.
        reduction, name, dtype: as `TagLoss`.

    Raises:
        ValueError: an option is unknown or margin is not a positive number.

    Example:
        >>> loss = WARP(rank="exact", normalization="none")
        >>> y_true, y_pred = [[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.5]]
        >>> float(loss(y_true, y_pred))  # both negatives violate: (1 + 1/2) * (1.0 + 1.5)
        3.75
    """

    def __init__(
        self,
        margin: float = 1.0,
        rank: str = "sampled",
        negatives: str = "all",
        normalization: str = "violators",
        seed: int | None = None,
        reduction="sum_over_batch_size",
        name="warp",
        dtype=None,
    ):
        super().__init__(margin, normalization, reduction=reduction, name=name, dtype=dtype)
        if rank not in RANKS:
            raise ValueError(f"rank must be one of {RANKS}, got {rank!r}")
        if negatives not in NEGATIVES:
            raise ValueError(f"negatives must be one of {NEGATIVES}, got {negatives!r}")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise ValueError(f"seed must be an integer or None, got {seed!r}")
        self.rank = rank
        self.negatives = negatives
        self.seed = seed
        # A generator made without a seed cannot be used under MirroredStrategy.
        self.seed_generator = keras.random.SeedGenerator(
            random.randrange(2**31) if seed is None else seed
        )

    def terms(self, positive, negative, scores, gaps, violations):
        sums, violators, _ = super().terms(positive, negative, scores, gaps, violations)
        scores = ops.stop_gradient(scores)
        weights = self._weights(scores, positive, negative, violators)
        if self.negatives == "sampled":
            chosen = self._one_violator(violations, violators)
            sums = ops.sum(ops.where(chosen, gaps, ops.zeros_like(gaps)), axis=-1)
            violators = ops.minimum(violators, 1)
        return sums, violators, ops.stop_gradient(weights)

    def _weights(self, scores, positive, negative, violators):
        table = ranks.harmonic_numbers(scores.shape[-1], scores.dtype)
        known = ops.logical_or(positive, negative)
        num_known = ops.sum(ops.cast(known, "int32"), axis=-1)
        num_negatives = count(negative, scores.dtype)
        if self.rank == "exact":
            return ops.take(table, ops.cast(violators, "int32"), axis=0)
        if self.rank == "expected":
            return ranks.expected_weights(violators, num_negatives, num_known, table)
        if self.rank == "loop":
            seed = self.seed_generator
            draws = ranks.loop_draws(scores, positive, negative, self.margin, seed)
        else:
            draws = ranks.geometric_draws(violators, num_negatives, self.seed_generator)
        return ranks.weights_of_draws(draws, num_known, table)

    def _one_violator(self, violations, violators):
        """Boolean like violations with one uniformly drawn violator of each positive."""
        uniform = keras.random.uniform(
            ops.shape(violators), dtype=violators.dtype, seed=self.seed_generator
        )
        place = ops.minimum(ops.floor(uniform * violators), ops.maximum(violators - 1, 0)) + 1
        order = ops.cumsum(ops.cast(violations, violators.dtype), axis=-1)
        return ops.logical_and(violations, ops.equal(order, place[:, :, None]))

    def get_config(self):
        return {
            **super().get_config(),
            "rank": self.rank,
            "negatives": self.negatives,
            "seed": self.seed,
        }
