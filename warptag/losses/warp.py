"""Weighted approximate-rank pairwise loss (Gong et al. 2013, eq. 4-6; Weston et al. 2011)."""

from __future__ import annotations

import random

import keras

from warptag.keras_api import SeedGenerator, ops
from warptag.labels import check_choice
from warptag.losses import ranks, seeds
from warptag.losses.pairwise_ranking import PairwiseRanking
from warptag.losses.violators import weighted_hinge

RANKS = ("sampled", "loop", "exact", "expected")
NEGATIVES = ("all", "sampled")


@keras.saving.register_keras_serializable("warptag")
class WARP(PairwiseRanking):
    """Pairwise hinge loss in which a positive that is ranked far down weighs more.

    `J_i = sum over positives j, negatives k of L(r_j) max(0, margin - f_j + f_k)`,
    `L(r) = 1 + 1/2 + ... + 1/r`, `r_j = floor((c - 1) / s)`, where s is the number of negatives
    drawn until one violates the margin. The weight L(r_j) is a constant for the gradient.

    Where the paper is silent: negatives are drawn with replacement, at most c - 1 times, and a
    positive for which no violator is found has the weight 0. With unknown tags (-1), c is the
    number of known tags.

    Source: Gong et al., arXiv 1312.4894, section 3.3, eq. 4-6; Weston et al., WSABIE, IJCAI 2011.

    Args:
        margin: the required difference of scores, a positive number.
        rank: how r_j is estimated. `"sampled"` (default): the distribution of the paper's
            sampling loop, without the loop. `"loop"`: the sampling loop itself. `"exact"`: the
            number of violating negatives. `"expected"`: L(r_j) is replaced by its mean over the
            sampling distribution.
        negatives: `"all"` (default): the paper's sum over all negatives. `"sampled"`: WSABIE's
            single violator, drawn uniformly from the violating negatives.
        normalization: as in `PairwiseRanking`; a single sampled violator counts as one.
        seed: int for repeatable draws, which differ at every call and on every replica. None
            takes a random seed, which follows `keras.utils.set_random_seed`. Under `jax.jit` the
            draws depend only on the seed and the scores.
        **kwargs: the arguments of `TagLoss`, as in `PairwiseRanking`.

    Raises:
        ValueError: if an argument is invalid.

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
        **kwargs,
    ):
        super().__init__(margin, normalization, **kwargs)
        check_choice("rank", rank, RANKS)
        check_choice("negatives", negatives, NEGATIVES)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise ValueError(f"seed must be an integer or None, got {seed!r}")
        self.rank = rank
        self.negatives = negatives
        self.seed = seed
        # A SeedGenerator created without a seed does not work under MirroredStrategy.
        self.seed_generator = SeedGenerator(random.randrange(2**31) if seed is None else seed)

    def image_losses(self, labels, scores):
        key = None
        if self.negatives == "sampled" or self.rank in ("sampled", "loop"):
            # Before the loop of `weighted_hinge`, in which no state may change.
            key = seeds.draw_key(self.seed_generator, scores)

        def weigh(positives):
            return self.weights(positives, key)

        def choose(positives):
            violators = positives.violators
            uniform = seeds.uniform(violators, key, "choice", positives.chunk)
            return ops.minimum(ops.floor(uniform * violators) + 1, violators)

        return weighted_hinge(
            scores, labels, self.margin, weigh, choose if self.negatives == "sampled" else None
        )

    def weights(self, positives, key=None):
        violators = positives.violators
        num_terms = ops.minimum(violators, 1) if self.negatives == "sampled" else violators
        return self._rank_weights(positives, key) * self.normalize(positives, num_terms)

    def _rank_weights(self, positives, key):
        """L(r_j) of each positive: (batch, n)."""
        batch = positives.batch
        num_tags = batch.scores.shape[-1]
        table = ranks.harmonic_numbers(num_tags, batch.scores.dtype)
        if self.rank == "exact":
            return ops.take(table, ops.cast(positives.violators, "int32"), axis=0)
        num_known = ops.cast(batch.num_positive + batch.num_negative, "int32")
        max_draws = ops.maximum(num_known - 1, 0)
        if self.rank == "expected":
            return ranks.expected_weights(positives, max_draws, num_tags, table)
        if self.rank == "loop":
            draws = ranks.loop_draws(positives, max_draws, key)
        else:
            draws = ranks.geometric_draws(positives, key)
        return ranks.weights_of_draws(draws, max_draws, table)

    def get_config(self):
        return {
            **super().get_config(),
            "rank": self.rank,
            "negatives": self.negatives,
            "seed": self.seed,
        }
