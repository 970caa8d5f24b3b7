"""The pairwise hinge loss over all positive-negative pairs (Gong et al. 2013, eq. 3)."""

from __future__ import annotations

import math
from numbers import Real

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, divide
from warptag.losses.violators import Positives, weighted_hinge

NORMALIZATIONS = ("none", "positives", "pairs", "violators")


@keras.saving.register_keras_serializable("warptag")
class PairwiseRanking(TagLoss):
    """Every positive tag should score a margin above every negative tag.

    `J_i = sum over positive j, negative k of max(0, margin - f_j + f_k)`

    Source: Gong et al., arXiv 1312.4894, section 3.2. Time and memory grow with num_tags, not
    with its square: no table of pairs is made.

    Args:
        margin: the gap asked for, positive and finite.
        normalization: what an image's sum is divided by. `"none"`: the paper's sum.
            `"positives"`: the number of positives. `"pairs"`: the number of
            positive-negative pairs. `"violators"` (default): each positive's hinge sum by the
            number of negatives that violate its margin, then the mean over positives, which is
            the expectation of WSABIE's single violator; it learns at ordinary learning rates.
        reduction, name, dtype, labels, tag_weights: as `TagLoss`; the term of positive j is
            multiplied by its tag's weight.

    Raises:
        ValueError: margin is not a positive number or an option is unknown.

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
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(reduction, name, dtype, labels, tag_weights)
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

    def image_losses(self, labels, scores):
        return weighted_hinge(scores, labels, self.margin, self.weights)

    def weights(self, positives: Positives):
        """What each positive's hinge sum is multiplied by: (batch, n), constant to the gradient."""
        return self.normalize(positives, positives.violators)

    def normalize(self, positives: Positives, num_terms):
        """The tag's weight over what the sum is divided by, for hinge sums of num_terms terms."""
        weights = self.weights_of(positives.tags, num_terms.dtype) * ops.ones_like(num_terms)
        if self.normalization == "none":
            return weights
        if self.normalization == "violators":
            weights = divide(weights, num_terms)
        if self.normalization == "pairs":
            weights = divide(weights, positives.batch.num_negative)
        return divide(weights, positives.batch.num_positive)

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "normalization": self.normalization,
        }
