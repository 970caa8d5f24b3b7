"""Softmax cross-entropy against the image's tags with equal shares (Gong et al. 2013, eq. 1-2)."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, divide, finite


@keras.saving.register_keras_serializable("warptag")
class MultilabelSoftmax(TagLoss):
    """Cross-entropy of softmax(scores) against y / |y|: every tag of an image has an equal share.

    `J_i = -(1 / c_plus) * sum over positive j of log softmax(f(x_i))_j`

    Unknown tags (-1) are left out of the softmax. An image without positives has loss 0.
    Source: Gong et al., arXiv 1312.4894, section 3.1. Arguments as `TagLoss`; with
    `tag_weights` a_j the sum is over a_j times the logarithm.

    Example:
        >>> loss = MultilabelSoftmax()
        >>> round(float(loss([[1.0, 0.0]], [[0.0, 0.0]])), 3)  # log 2
        0.693
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="multilabel_softmax",
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(reduction, name, dtype, labels, tag_weights)

    def image_losses(self, labels, scores):
        scores = finite(scores)
        # Half the range, so that differences of the substitute stay finite.
        lowest = -1e38
        known = ops.logical_or(labels.positive, labels.negative)
        log_share = ops.log_softmax(ops.where(known, scores, lowest), axis=-1)
        log_share = log_share * self.weights_of(ops.arange(scores.shape[-1]), scores.dtype)
        total = ops.sum(ops.where(labels.positive, -log_share, ops.zeros_like(scores)), axis=-1)
        return divide(total, labels.num_positive)
