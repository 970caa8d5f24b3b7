"""The base class of the losses: labels, tag weights, dtypes and serialization."""

from __future__ import annotations

import re

import numpy as np

from warptag.keras_api import Loss, ops, result_type
from warptag.keras_api.backend import is_meta
from warptag.labels import FORMATS, Labels, check_choice, read_labels


class TagLoss(Loss):
    """Base class of the losses over an image's raw scores and its tags.

    A subclass implements `image_losses(labels, scores)`, which returns one value per image.

    Args:
        reduction: reduction over the images, as in `keras.losses.Loss`; by default their mean.
        name: name of the loss; by default the class name in snake case.
        dtype: dtype of the reduced loss. Scores of less than 32 bits are computed in float32.
        labels: format of the labels, `"multi_hot"` (default) or `"ids"`.
        tag_weights: None or num_tags finite numbers of at least 0, by which the share of each
            positive tag in the loss is multiplied. (Keras's `class_weight` takes the argmax of a
            multi-hot row instead.)

    Call arguments:
        y_true: for `labels="multi_hot"`, (batch, num_tags): 1 positive, 0 negative, -1 unknown,
            which is in no sum. For `labels="ids"`, (batch, K): the ids of the positive tags,
            padded with -1.
        y_pred: float (batch, num_tags), raw scores.
        sample_weight: optional (batch,), one weight per image.

    Raises:
        ValueError: if an argument is invalid.

    Example:
        >>> from warptag.losses import MultilabelSoftmax
        >>> loss = MultilabelSoftmax(labels="ids", tag_weights=[1.0, 3.0])
        >>> round(float(loss([[0, -1], [1, -1]], [[0.0, 0.0], [0.0, 0.0]])), 3)  # (1 + 3) / 2 log 2
        1.386
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
        labels="multi_hot",
        tag_weights=None,
    ):
        # KOrderStatisticWARP -> K_Order_Statistic_WARP
        words = re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(self).__name__)
        super().__init__(name=name or words.lower(), reduction=reduction, dtype=dtype)
        check_choice("labels", labels, FORMATS)
        self.labels = labels
        if labels == "ids" and self.dtype in ("float16", "bfloat16"):
            raise ValueError(
                f"labels='ids' needs the dtype float32 or float64, got {self.dtype}, "
                "which cannot represent every id"
            )
        self.tag_weights = checked_weights("tag_weights", tag_weights)

    def call(self, y_true, y_pred):
        """Compute one loss per image.

        Returns:
            float (batch,); 0 with zero gradient for an image with nothing to compare, and NaN
            for an image in which the score of a known tag is NaN.

        Raises:
            ValueError: if the shapes do not match or, outside compiled graphs, if a label or id
                is invalid. Inside compiled graphs the loss of that image is NaN.
        """
        scores = ops.convert_to_tensor(y_pred)
        scores = ops.cast(scores, result_type(scores.dtype, "float32"))
        labels = read_labels(y_true, scores, self.labels)
        check_length("tag_weights", self.tag_weights, scores.shape[-1])
        if is_meta(scores):
            return ops.sum(scores, axis=-1)
        # The scores of unknown tags may be anything.
        scores = ops.where(ops.logical_or(labels.positive, labels.negative), scores, 0.0)
        # Comparisons with NaN are false: a diverged model would look like a perfect one. As a
        # factor of the scores, NaN is in the whole gradient, also in what the loss leaves out.
        broken = ops.any(ops.isnan(scores), axis=-1)
        one = ops.where(broken, float("nan"), ops.ones_like(labels.num_positive))
        losses = self.image_losses(labels, scores * one[:, None]) * one
        return ops.where(ops.isnan(labels.num_negative), labels.num_negative, losses)

    def image_losses(self, labels: Labels, scores):
        raise NotImplementedError

    def weights_of_tags(self, dtype):
        """(num_tags,), or a scalar 1 without tag weights."""
        weights = 1.0 if self.tag_weights is None else self.tag_weights
        return ops.convert_to_tensor(weights, dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "dtype": self.dtype,
            "labels": self.labels,
            "tag_weights": self.tag_weights,
        }


def checked_weights(name: str, weights) -> list[float] | None:
    if weights is None:
        return None
    values = np.asarray(weights, dtype="float64")
    if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"{name} must be one finite number of at least 0 per tag, got {weights!r}")
    return values.tolist()


def check_length(name: str, weights: list[float] | None, num_tags: int) -> None:
    if weights is not None and len(weights) != num_tags:
        raise ValueError(
            f"{name} must have one number for each of the {num_tags} tags, got {len(weights)}"
        )


def finite(scores):
    """The scores clipped to finite numbers, so that 0 times infinity does not become NaN."""
    return ops.clip(scores, -1e30, 1e30)


def divide(numerator, denominator):
    """numerator / denominator, or 0 with zero gradient where the denominator is 0."""
    return ops.where(denominator > 0, numerator / ops.where(denominator > 0, denominator, 1.0), 0.0)
