"""Log-sum-exp pairwise loss (Li, Song and Luo, CVPR 2017)."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, finite


@keras.saving.register_keras_serializable("warptag")
class LSEP(TagLoss):
    """A smooth pairwise ranking loss.

    `J_i = log(1 + sum over positives j, negatives k of exp(f_k - f_j))`

    The sum over pairs is the product of a sum over negatives and a sum over positives, so all
    pairs are included in linear time; the paper samples some of them. An image without positives
    or without negatives has the loss 0.

    Source: Li, Song, Luo, Improving Pairwise Ranking for Multi-label Image Classification,
    CVPR 2017, eq. 4.

    Args:
        reduction, name, dtype, labels, tag_weights: as in `TagLoss`. The weight of tag j multiplies
            exp(f_k - f_j).

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> loss = LSEP()
        >>> round(float(loss([[1, 0, 0]], [[0.0, 0.0, 0.0]])), 3)  # log(1 + 2)
        1.099
    """

    def image_losses(self, labels, scores):
        scores = finite(scores)
        # A third of the range of float32, so that sums of it stay finite.
        lowest = -1e38
        exponents = 0.0 - scores
        if self.tag_weights is not None:
            weights = self.weights_of_tags(scores.dtype)
            exponents = ops.where(
                weights > 0, exponents + ops.log(ops.where(weights > 0, weights, 1.0)), lowest
            )
        positives = ops.logsumexp(ops.where(labels.positive, exponents, lowest), axis=-1)
        negatives = ops.logsumexp(ops.where(labels.negative, scores, lowest), axis=-1)
        return ops.softplus(positives + negatives)
