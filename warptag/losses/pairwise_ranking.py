"""The pairwise hinge loss over all positive-negative pairs (Gong et al. 2013, eq. 3)."""

from __future__ import annotations

import math
from numbers import Real

import keras

from warptag.keras_api import ops
from warptag.labels import check_choice
from warptag.losses.base import TagLoss, divide
from warptag.losses.violators import Positives, weighted_hinge

NORMALIZATIONS = ("none", "positives", "pairs", "violators")


@keras.saving.register_keras_serializable("warptag")
class PairwiseRanking(TagLoss):
    """Hinge loss that asks every positive tag to score a margin above every negative tag.

    `J_i = sum over positives j, negatives k of max(0, margin - f_j + f_k)`

    Time and memory grow linearly with num_tags: no table of pairs is made.

    Source: Gong et al., arXiv 1312.4894, section 3.2, eq. 3.

    Args:
        margin: the required difference of scores, a positive number.
        normalization: what the sum of an image is divided by. `"none"`: nothing (the paper's
            sum). `"positives"`: the number of positives. `"pairs"`: the number of
            positive-negative pairs. `"violators"` (default): the hinge sum of each positive is
            divided by the number of negatives that violate its margin, then averaged over the
            positives; this is the expectation of WSABIE's single violator and learns at ordinary
            learning rates.
        **kwargs: the arguments of `TagLoss`. The weight of tag j multiplies the hinge sum of
            positive j.

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> loss = PairwiseRanking(normalization="none")
        >>> float(loss([[1, 0, 0]], [[1.0, 0.5, -1.0]]))  # max(0, 1 - 1 + 0.5) + max(0, 1 - 1 - 1)
        0.5
    """

    def __init__(self, margin: float = 1.0, normalization: str = "violators", **kwargs):
        super().__init__(**kwargs)
        # mypy does not accept float as a Real.
        is_number = isinstance(margin, Real)
        if not (is_number and 0 < margin < math.inf):
            raise ValueError(f"margin must be a positive finite number, got {margin!r}")
        check_choice("normalization", normalization, NORMALIZATIONS)
        self.margin = float(margin)
        self.normalization = normalization

    def image_losses(self, labels, scores):
        return weighted_hinge(scores, labels, self.margin, self.weights)

    def weights(self, positives: Positives):
        """The weight of each positive's hinge sum: (batch, n), constant for the gradient."""
        return self.normalize(positives, positives.violators)

    def weights_of_positives(self, positives: Positives):
        """The tag weight of each positive: (batch, n)."""
        weights = self.weights_of_tags(positives.scores.dtype)
        if self.tag_weights is not None:
            weights = ops.take(weights, positives.tags, axis=0)
        return weights * ops.ones_like(positives.scores)

    def normalize(self, positives: Positives, num_terms):
        """Tag weight over divisor, for hinge sums with this number of terms: (batch, n)."""
        weights = self.weights_of_positives(positives)
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
