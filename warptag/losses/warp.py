"""Weighted approximate-rank pairwise loss (Gong et al. 2013, eq. 4-6; Weston et al. 2011)."""

from __future__ import annotations

import random

import keras

from warptag.keras_api import SeedGenerator, ops
from warptag.losses import ranks, seeds
from warptag.losses.pairwise_ranking import PairwiseRanking
from warptag.losses.violators import weighted_hinge

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
        seed: int for repeatable draws (fresh ones every call); None takes a random one, which
            follows `keras.utils.set_random_seed`. Replicas draw differently. Inside `jax.jit`
            the draws depend on seed and scores alone, so equal scores draw alike.
        reduction, name, dtype, labels, tag_weights: as `PairwiseRanking`.

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
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(margin, normalization, reduction, name, dtype, labels, tag_weights)
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
        self.seed_generator = SeedGenerator(random.randrange(2**31) if seed is None else seed)

    def image_losses(self, labels, scores):
        key = None
        if self.negatives == "sampled" or self.rank in ("sampled", "loop"):
            # Before any loop of the graph, in which no state may change.
            key = seeds.draw_key(self.seed_generator, scores)

        def weigh(positives):
            return self.weights(positives, key)

        def choose(positives):
            violators = positives.violators
            uniform = seeds.uniform(violators, key, "choice", positives.part)
            return ops.minimum(ops.floor(uniform * violators) + 1, violators)

        return weighted_hinge(
            scores, labels, self.margin, weigh, choose if self.negatives == "sampled" else None
        )

    def weights(self, positives, key=None):
        violators = positives.violators
        num_terms = ops.minimum(violators, 1) if self.negatives == "sampled" else violators
        rank_weights = self._rank_weights(positives, key)
        return rank_weights * self.normalize(positives, num_terms)

    def _rank_weights(self, positives, key):
        """L(r_j) of each positive."""
        batch = positives.batch
        num_tags = batch.scores.shape[-1]
        table = ranks.harmonic_numbers(num_tags, batch.scores.dtype)
        if self.rank == "exact":
            return ops.take(table, ops.cast(positives.violators, "int32"), axis=0)
        most = ops.cast(batch.num_positive + batch.num_negative, "int32") - 1
        if self.rank == "expected":
            return ranks.expected_weights(positives, most, num_tags, table)
        if self.rank == "loop":
            draws = ranks.loop_draws(positives, most, key)
        else:
            draws = ranks.geometric_draws(positives, key)
        return ranks.weights_of_draws(draws, most, table)

    def get_config(self):
        return {
            **super().get_config(),
            "rank": self.rank,
            "negatives": self.negatives,
            "seed": self.seed,
        }
