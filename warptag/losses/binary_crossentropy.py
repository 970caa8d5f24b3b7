"""Binary cross-entropy over the known tags, weighted per tag."""

from __future__ import annotations

import keras

from warptag.keras_api import ops
from warptag.losses.base import TagLoss, check_length, checked_weights, count, divide


@keras.saving.register_keras_serializable("warptag")
class WeightedBinaryCrossentropy(TagLoss):
    """Every tag is a question of its own, answered by sigmoid(f).

    `J_i = -(1 / c) * sum over known tag t of a_t * (p_t y_t log s(f_t) + (1 - y_t) log s(-f_t))`

    with s the sigmoid, c the number of known tags, a_t the weight of the tag and p_t the weight of
    its positives. Without weights and unknown tags it is
    `keras.losses.BinaryCrossentropy(from_logits=True)`.

    Args:
        positive_weights: None, or num_tags numbers of at least 0, p_t: above 1 for rare tags.
        reduction, name, dtype, labels: as `TagLoss`.
        tag_weights: None, or num_tags numbers of at least 0, a_t.

    Raises:
        ValueError: a weight is negative or not finite, or an option is unknown.

    Example:
        >>> loss = WeightedBinaryCrossentropy(positive_weights=[3.0, 1.0])
        >>> round(float(loss([[1, 0]], [[0.0, 0.0]])), 3)  # (3 log 2 + log 2) / 2
        1.386
    """

    def __init__(
        self,
        positive_weights=None,
        reduction="sum_over_batch_size",
        name="weighted_binary_crossentropy",
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        super().__init__(reduction, name, dtype, labels, tag_weights)
        self.positive_weights = checked_weights("positive_weights", positive_weights)

    def check_num_tags(self, num_tags):
        super().check_num_tags(num_tags)
        check_length("positive_weights", self.positive_weights, num_tags)

    def image_losses(self, labels, scores):
        known = ops.logical_or(labels.positive, labels.negative)
        terms = ops.softplus(ops.where(labels.positive, 0.0 - scores, scores))
        if self.positive_weights is not None:
            weights = ops.convert_to_tensor(self.positive_weights, scores.dtype)
            terms = terms * ops.where(labels.positive, weights, 1.0)
        terms = terms * self.weights_of(ops.arange(scores.shape[-1]), scores.dtype)
        total = ops.sum(ops.where(known, terms, 0.0), axis=-1)
        return divide(total, count(known, scores.dtype))

    def get_config(self):
        return {**super().get_config(), "positive_weights": self.positive_weights}
