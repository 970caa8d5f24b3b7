"""WARP for the k-th best of some sampled positives (Weston, Yee and Weiss, RecSys 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np

from warptag.keras_api import ops
from warptag.losses.base import divide
from warptag.losses.violators import Positives, count_by_column
from warptag.losses.warp import WARP


@keras.saving.register_keras_serializable("warptag")
class KOrderStatisticWARP(WARP):
    """WARP whose positives weigh by their place among the image's positives.

    The paper draws K positives with replacement, sorts them by score, takes the one at place k
    with probability P(k), and makes WARP's step for it. This loss is the mean over that draw, so
    all positives of an image learn at once:

    `J_i = sum over positive j of q_j * L(r_j) * sum over negative k of max(0, margin - f_j + f_k)`

    where q_j is the probability that j is taken. P at the last places makes the worst ranked
    positives weigh most (the paper's mean maximum rank), at the first ones the best ranked.

    Source: Weston, Yee, Weiss, Learning to Rank Recommendations with the k-Order Statistic Loss,
    RecSys 2013; L and r_j as `WARP`.

    Args:
        places: P(1) .. P(K), numbers of at least 0 of which one is above 0; divided by their sum.
            The default takes the worst of five. Positives with one score are placed in the order
            of their tags.
        normalization: `"violators"` (default): each hinge sum is divided by the number of
            negatives that violate the margin. `"none"`: it is not. (q adds up to 1 over an
            image's positives, so there is nothing else to divide by.)
        margin, rank, negatives, seed, reduction, name, dtype, labels, tag_weights: as `WARP`.

    Raises:
        ValueError: an option is unknown or places holds no usable numbers.

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
        reduction="sum_over_batch_size",
        name="k_order_statistic_warp",
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        if normalization not in ("none", "violators"):
            raise ValueError(
                f"normalization must be one of ('none', 'violators'), got {normalization!r}"
            )
        super().__init__(
            margin,
            rank,
            negatives,
            normalization,
            seed,
            reduction,
            name,
            dtype,
            labels,
            tag_weights,
        )
        values = np.asarray(places, dtype="float64")
        if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all() or not values.any():
            raise ValueError(
                f"places must be finite numbers of at least 0, one of them above 0, got {places!r}"
            )
        self.places = values.tolist()

    def normalize(self, positives: Positives, num_terms):
        weights = self.weights_of(positives.tags, num_terms.dtype) * self._taken(positives)
        return divide(weights, num_terms) if self.normalization == "violators" else weights

    def _taken(self, positives: Positives):
        """q_j, the probability that positive j is the one taken: (batch, n)."""
        batch = positives.batch
        tags = ops.arange(batch.scores.shape[-1], dtype="int32")

        def is_before(index):
            """Which positives are placed before those of a column."""
            score = ops.take(positives.scores, index, axis=1)[:, None]
            earlier = tags < ops.take(positives.tags, index, axis=1)[:, None]
            tied = ops.logical_and(ops.equal(batch.scores, score), earlier)
            return ops.logical_and(batch.positive, ops.logical_or(batch.scores > score, tied))

        place = count_by_column(is_before, positives.valid, positives.scores.dtype)
        num_positive = ops.maximum(batch.num_positive, 1.0)
        best, worst = place / num_positive, (place + 1) / num_positive
        return ops.where(positives.valid, self._within(worst) - self._within(best), 0.0)

    def _within(self, share):
        """P(the positive taken is among this best share of the image's positives)."""
        num_draws, total = len(self.places), sum(self.places)
        share = ops.minimum(share, 1.0)
        # In logarithms, for the binomial coefficients of many draws are beyond float32.
        log_inside, log_outside = ops.log(share), ops.log1p(-share)
        result = ops.zeros_like(share)
        for num_inside in range(1, num_draws + 1):
            # With so many of the draws inside, the places up to num_inside are inside.
            probability = sum(self.places[:num_inside]) / total
            if not probability:
                continue
            missed = num_draws - num_inside
            exponent = math.log(math.comb(num_draws, num_inside)) + num_inside * log_inside
            if missed:
                exponent = exponent + missed * log_outside
            result = result + probability * ops.exp(exponent)
        return result

    def get_config(self):
        return {**super().get_config(), "places": self.places}
