"""WARP for the k-th best of some sampled positives (Weston, Yee and Weiss, RecSys 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np

from warptag.keras_api import ops
from warptag.labels import check_choice
from warptag.losses.violators import Positives, count_tags
from warptag.losses.warp import WARP


@keras.saving.register_keras_serializable("warptag")
class KOrderStatisticWARP(WARP):
    """WARP in which the place of a positive among the image's positives adds a weight.

    The paper draws K positives with replacement, sorts them by score, takes the one at place k
    with probability P(k), and makes WARP's step for it. This loss is the expectation over that
    draw, so all positives of an image learn at once:

    `J_i = sum over positives j, negatives k of q_j L(r_j) max(0, margin - f_j + f_k)`

    where q_j is the probability that j is taken. With P at the last places the worst-ranked
    positives weigh most (the paper's mean maximum rank), with P at the first places the best.

    Source: Weston, Yee, Weiss, Learning to Rank Recommendations with the k-Order Statistic Loss,
    RecSys 2013; L and r_j as in `WARP`.

    Args:
        places: P(1), ..., P(K): finite numbers of at least 0, not all 0, which are divided by
            their sum. The default takes the worst of five. Positives with equal scores are
            placed in the order of their tags.
        margin, rank, negatives, seed: as in `WARP`.
        normalization: `"violators"` (default), each hinge sum divided by the number of negatives
            that violate the margin, or `"none"`. (The q_j of an image add up to 1 already.)
        **kwargs: the arguments of `TagLoss`, as in `PairwiseRanking`.

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> loss = KOrderStatisticWARP(places=(0, 1), rank="exact", normalization="none")
        >>> # Worst of two draws: the lower positive with probability 1 - 1/4. Hinges: 1 and 3.
        >>> float(loss([[1.0, 1.0, 0.0]], [[2.0, 0.0, 2.0]]))  # 1/4 * 1 + 3/4 * 3
        2.5
    """

    def __init__(
        self,
        places: Sequence[float] = (0.0, 0.0, 0.0, 0.0, 1.0),
        margin: float = 1.0,
        rank: str = "sampled",
        negatives: str = "all",
        normalization: str = "violators",
        seed: int | None = None,
        **kwargs,
    ):
        check_choice("normalization", normalization, ("none", "violators"))
        super().__init__(margin, rank, negatives, normalization, seed, **kwargs)
        values = np.asarray(places, dtype="float64")
        if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all() or not values.any():
            raise ValueError(
                f"places must be finite numbers of at least 0, not all of them 0, got {places!r}"
            )
        self.places = values.tolist()

    def normalize(self, positives: Positives, num_terms):
        weights = self.weights_of_positives(positives) * self._taken(positives)
        if self.normalization == "none":
            return weights
        return weights / ops.maximum(num_terms, 1.0)

    def _taken(self, positives: Positives):
        """q_j, the probability that positive j is taken: (batch, n)."""
        batch = positives.batch
        num_tags = batch.scores.shape[-1]
        tags = ops.arange(num_tags, dtype="int32")

        def is_before(score, tag):
            """Which positives come before the ones with these scores and tags."""
            scores = batch.scores[:, None, :]
            tied = ops.logical_and(ops.equal(scores, score), tags < tag)
            before = ops.logical_or(scores > score, tied)
            return ops.logical_and(batch.positive[:, None, :], before)

        place = count_tags(is_before, positives.valid, num_tags, positives.scores, positives.tags)
        num_positive = ops.maximum(batch.num_positive, 1.0)
        best, worst = place / num_positive, (place + 1) / num_positive
        return ops.where(positives.valid, self._within(worst) - self._within(best), 0.0)

    def _within(self, share):
        """The probability that the positive taken is in this best share of the positives."""
        num_draws, total = len(self.places), sum(self.places)
        share = ops.minimum(share, 1.0)
        # Logarithms, because binomial coefficients of many draws exceed float32.
        log_inside, log_outside = ops.log(share), ops.log1p(-share)
        result = ops.zeros_like(share)
        for num_inside in range(1, num_draws + 1):
            # With this many draws inside, the places up to num_inside are inside.
            probability = sum(self.places[:num_inside]) / total
            if not probability:
                continue
            exponent = math.log(math.comb(num_draws, num_inside)) + num_inside * log_inside
            if num_inside < num_draws:
                exponent = exponent + (num_draws - num_inside) * log_outside
            result = result + probability * ops.exp(exponent)
        return result

    def get_config(self):
        return {**super().get_config(), "places": self.places}
