"""The pairwise hinge loss over all positive-negative pairs (Gong et al. 2013, eq. 3)."""

from __future__ import annotations

import math
from numbers import Real

import keras

from warptag.keras_api import ops
from warptag.labels import check_choice
from warptag.losses.base import TagLoss
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
        """The tag weight of each positive: (batch, n), or a scalar 1 without tag weights."""
        weights = self.weights_of_tags(positives.scores.dtype)
        return weights if self.tag_weights is None else ops.take(weights, positives.tags, axis=0)

    def normalize(self, positives: Positives, num_terms):
        """Tag weight over divisor, for hinge sums with num_terms terms: (batch, n) or a scalar.

        The divisor is 0 only for a hinge sum without terms, whose weight has no meaning.
        """
        weights = self.weights_of_positives(positives)
        if self.normalization == "none":
            return weights
        divisor = ops.maximum(positives.batch.num_positive, 1.0)
        if self.normalization == "violators":
            divisor = divisor * ops.maximum(num_terms, 1.0)
        if self.normalization == "pairs":
            divisor = divisor * ops.maximum(positives.batch.num_negative, 1.0)
        return weights / divisor

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "normalization": self.normalization,
        }
