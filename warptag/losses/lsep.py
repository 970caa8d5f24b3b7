"""Log-sum-exp pairwise loss (Li, Song and Luo, CVPR 2017)."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, finite


@keras.saving.register_keras_serializable("warptag")
class LSEP(TagLoss):
    """A smooth pairwise ranking loss.

    `J_i = log(1 + sum over positive j, negative k of exp(f_k - f_j))`

    Source: Li, Song, Luo, Improving Pairwise Ranking for Multi-label Image Classification,
    CVPR 2017, eq. 4. The sum over pairs is the product of a sum over negatives and one over
    positives, so every pair enters (the paper samples some) at the cost of one pass.

    Arguments as `TagLoss`; with `tag_weights` a_j the term of a pair is a_j exp(f_k - f_j). An
    image without positives or without negatives has loss 0.

    Example:
        >>> loss = LSEP()
        >>> round(float(loss([[1, 0, 0]], [[0.0, 0.0, 0.0]])), 3)  # log(1 + 2)
        1.099
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="lsep",
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(reduction, name, dtype, labels, tag_weights)

    def image_losses(self, labels, scores):
        scores = finite(scores)
        # A third of the range, so that sums of the substitute stay finite.
        lowest = -1e38
        logarithms = 0.0 - scores
        if self.tag_weights is not None:
            weights = self.weights_of(ops.arange(scores.shape[-1]), scores.dtype)
            logarithms = ops.where(
                weights > 0, logarithms + ops.log(ops.where(weights > 0, weights, 1.0)), lowest
            )
        positives = ops.logsumexp(ops.where(labels.positive, logarithms, lowest), axis=-1)
        negatives = ops.logsumexp(ops.where(labels.negative, scores, lowest), axis=-1)
        return ops.softplus(positives + negatives)
