"""Binary cross-entropy over the known tags, with weights per tag."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, check_length, checked_weights, divide


@keras.saving.register_keras_serializable("warptag")
class WeightedBinaryCrossentropy(TagLoss):
    """Binary cross-entropy of sigmoid(scores), averaged over the known tags.

    `J_i = -(1 / c) * sum over known tags t of a_t * (p_t y_t log s(f_t) + (1 - y_t) log s(-f_t))`

    where s is the sigmoid, c the number of known tags, a_t the weight of the tag and p_t the
    weight of its positives. Without weights and unknown tags this is
    `keras.losses.BinaryCrossentropy(from_logits=True)`.

    Args:
        positive_weights: None or num_tags finite numbers of at least 0, the p_t; values above 1
            emphasize the positives of rare tags.
        **kwargs: the arguments of `TagLoss`. The tag weights are the a_t.

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> loss = WeightedBinaryCrossentropy(positive_weights=[3.0, 1.0])
        >>> round(float(loss([[1, 0]], [[0.0, 0.0]])), 3)  # (3 log 2 + log 2) / 2
        1.386
    """

    def __init__(self, positive_weights=None, **kwargs):
        super().__init__(**kwargs)
        self.positive_weights = checked_weights("positive_weights", positive_weights)

    def image_losses(self, labels, scores):
        check_length("positive_weights", self.positive_weights, scores.shape[-1])
        known = ops.logical_or(labels.positive, labels.negative)
        terms = ops.softplus(ops.where(labels.positive, 0.0 - scores, scores))
        if self.positive_weights is not None:
            weights = ops.convert_to_tensor(self.positive_weights, scores.dtype)
            terms = terms * ops.where(labels.positive, weights, 1.0)
        terms = terms * self.weights_of_tags(scores.dtype)
        total = ops.sum(ops.where(known, terms, 0.0), axis=-1)
        return divide(total, ops.sum(ops.cast(known, scores.dtype), axis=-1))

    def get_config(self):
        return {**super().get_config(), "positive_weights": self.positive_weights}
