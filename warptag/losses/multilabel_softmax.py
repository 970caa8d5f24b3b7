"""Softmax cross-entropy against equal shares of an image's tags (Gong et al. 2013, eq. 1-2)."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, divide, finite


@keras.saving.register_keras_serializable("warptag")
class MultilabelSoftmax(TagLoss):
    """Cross-entropy of softmax(scores) in which all tags of an image have equal shares.

    `J_i = -(1 / c_plus) * sum over positives j of log softmax(f(x_i))_j`

    Unknown tags (-1) are left out of the softmax. An image without positives has the loss 0.

    Source: Gong et al., arXiv 1312.4894, section 3.1, eq. 1-2.

    Args:
        reduction, name, dtype, labels, tag_weights: as in `TagLoss`. Tag weights multiply the terms
            of the sum.

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> loss = MultilabelSoftmax()
        >>> round(float(loss([[1.0, 0.0]], [[0.0, 0.0]])), 3)  # log 2
        0.693
    """

    def image_losses(self, labels, scores):
        scores = finite(scores)
        known = ops.logical_or(labels.positive, labels.negative)
        # Not the lowest float32, so that differences from it stay finite.
        log_share = ops.log_softmax(ops.where(known, scores, -1e38), axis=-1)
        log_share = log_share * self.weights_of_tags(scores.dtype)
        total = ops.sum(ops.where(labels.positive, -log_share, ops.zeros_like(scores)), axis=-1)
        return divide(total, labels.num_positive)
