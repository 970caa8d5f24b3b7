"""The pairwise hinge loss over all positive-negative pairs (Gong et al. 2013, eq. 3)."""

from __future__ import annotations

import math
from numbers import Real

import keras
from keras import ops

from warptag.losses.base import TagLoss, count, divide

NORMALIZATIONS = ("none", "positives", "pairs", "violators")


@keras.saving.register_keras_serializable("warptag")
class PairwiseRanking(TagLoss):
    """Every positive tag should score a margin above every negative tag.

    `J_i = sum over positive j, negative k of max(0, margin - f_j + f_k)`

    Source: Gong et al., arXiv 1312.4894, section 3.2. The table of pairs takes
    batch x num_tags x num_tags numbers.

    Args:
        margin: the gap asked for, positive and finite.
        normalization: what an image's sum is divided by. `"none"`: the paper's sum.
            `"positives"`: the number of positives. `"pairs"`: the number of
            positive-negative pairs. `"violators"` (default): each positive's hinge sum by the
            number of negatives that violate its margin, then the mean over positives, which is
            the expectation of WSABIE's single violator; it learns at ordinary learning rates.
        reduction, name, dtype: as `TagLoss`.

    Raises:
        ValueError: margin is not a positive number or normalization is unknown.

    Example:
        >>> loss = PairwiseRanking(normalization="none")
        >>> float(loss([[1, 0, 0]], [[1.0, 0.5, -1.0]]))  # max(0, 1 - 1 + 0.5) + max(0, 1 - 1 - 1)
        0.5
    """

    def __init__(
        self,
        margin: float = 1.0,
        normalization: str = "violators",
        reduction="sum_over_batch_size",
        name="pairwise_ranking",
        dtype=None,
    ):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        # A variable of its own, for mypy holds that no float is a Real.
        is_number = isinstance(margin, Real)
        if not (is_number and 0 < margin < math.inf):
            raise ValueError(f"margin must be a positive number, got {margin!r}")
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {NORMALIZATIONS}, got {normalization!r}"
            )
        self.margin = float(margin)
        self.normalization = normalization

    def image_losses(self, positive, negative, scores):
        pairs = ops.logical_and(positive[:, :, None], negative[:, None, :])
        gaps = self.margin - scores[:, :, None] + scores[:, None, :]
        violations = ops.logical_and(pairs, gaps > 0)
        terms = self.terms(positive, negative, scores, gaps, violations)
        return self._normalize(positive, negative, *terms)

    def terms(self, positive, negative, scores, gaps, violations):
        """Hinge sum, number of violators and weight of each positive.

        Args:
            positive, negative: boolean (batch, num_tags).
            scores: float (batch, num_tags).
            gaps: float (batch, num_tags, num_tags), margin - f_j + f_k at [:, j, k].
            violations: boolean like gaps: j positive, k negative and a gap above 0.

        Returns:
            Three (batch, num_tags): sums, counts, and weights that are constant to the gradient.
        """
        sums = ops.sum(ops.where(violations, gaps, ops.zeros_like(gaps)), axis=-1)
        return sums, count(violations, gaps.dtype), ops.ones_like(sums)

    def _normalize(self, positive, negative, sums, violators, weights):
        num_positives = count(positive, sums.dtype)
        if self.normalization == "violators":
            sums = divide(sums, violators)
        total = ops.sum(weights * sums, axis=-1)
        if self.normalization == "none":
            return total
        if self.normalization == "pairs":
            return divide(total, num_positives * count(negative, sums.dtype))
        return divide(total, num_positives)

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "normalization": self.normalization,
        }
