"""What the losses share: reading labels, weights of tags, dtype handling and serialisation."""

from __future__ import annotations

import numpy as np

from warptag.backends import is_shape_only
from warptag.keras_api import Loss, ops, result_type
from warptag.labels import Labels, check_format, read_labels


class TagLoss(Loss):
    """Base of the losses over raw scores and the tags of each image.

    A subclass writes `image_losses(labels, scores)`, one value an image.

    Args:
        reduction: as in `keras.losses.Loss`; the default is the mean over images.
        name: name of the loss.
        dtype: dtype policy of the loss. Scores below float32 are computed in float32; only the
            reduced value has the dtype asked for.
        labels: `"multi_hot"` (default) or `"ids"`, see `call`.
        tag_weights: None, or num_tags numbers of at least 0: each positive tag's share of the
            loss is multiplied by its weight. (Keras's `class_weight` cannot do this: it takes
            the argmax of a multi-hot row.)

    Call arguments:
        y_true, y_pred: as `call`.
        sample_weight: optional (batch,), one weight an image.

    Raises:
        ValueError: an option is unknown or a weight is negative or not finite.

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
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.labels = check_format(labels)
        if labels == "ids" and self.dtype in ("float16", "bfloat16"):
            raise ValueError(
                f"padded tag ids need a loss of dtype float32 or float64, got {self.dtype}, "
                "which cannot hold every id"
            )
        self.tag_weights = checked_weights("tag_weights", tag_weights)

    def call(self, y_true, y_pred):
        """One loss an image.

        Args:
            y_true: with `labels="multi_hot"` (batch, num_tags): 1 positive, 0 negative, -1
                unknown (in no sum, neither as positive nor as negative). With `labels="ids"`
                (batch, K): the ids of the positive tags, padded with -1.
            y_pred: float (batch, num_tags), raw scores.

        Returns:
            float (batch,), 0 with zero gradient where an image has nothing to compare.

        Raises:
            ValueError: the shapes do not fit; or, where the values can be seen, a label is not
                -1, 0 or 1 or an id is out of range. A compiled graph cannot raise: there the
                image's loss is NaN.
        """
        scores = ops.convert_to_tensor(y_pred)
        scores = ops.cast(scores, result_type(scores.dtype, "float32"))
        labels = read_labels(y_true, scores, self.labels)
        self.check_num_tags(scores.shape[-1])
        if is_shape_only(scores):
            return ops.sum(scores, axis=-1)
        losses = self.image_losses(labels, scores)
        return ops.where(ops.isnan(labels.num_negative), labels.num_negative, losses)

    def image_losses(self, labels: Labels, scores):
        raise NotImplementedError

    def check_num_tags(self, num_tags: int) -> None:
        check_length("tag_weights", self.tag_weights, num_tags)

    def weights_of(self, tags, dtype):
        """The weights of the tags with these indices, in their shape; 1 where none are set."""
        if self.tag_weights is None:
            return ops.ones((), dtype)
        return ops.take(ops.convert_to_tensor(self.tag_weights, dtype), tags, axis=0)

    def get_config(self):
        return {
            **super().get_config(),
            "dtype": self.dtype,
            "labels": self.labels,
            "tag_weights": self.tag_weights,
        }


def checked_weights(name: str, weights) -> list[float] | None:
    """The weights as a list of floats, fit for a configuration."""
    if weights is None:
        return None
    values = np.asarray(weights, dtype="float64")
    if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(
            f"{name} must be a finite number of at least 0 for every tag, got {weights!r}"
        )
    return values.tolist()


def check_length(name: str, weights: list[float] | None, num_tags: int) -> None:
    if weights is not None and len(weights) != num_tags:
        raise ValueError(
            f"{name} must be one number for each of the {num_tags} tags, got {len(weights)}"
        )


def finite(scores):
    """The scores with infinite ones at a huge number, so that no 0 times infinity is NaN."""
    return ops.clip(scores, -1e30, 1e30)


def count(mask, dtype):
    """Number of true entries in each row of a boolean (batch, num_tags)."""
    return ops.sum(ops.cast(mask, dtype), axis=-1)


def divide(numerator, denominator):
    """numerator / denominator, and 0 with zero gradient where the denominator is 0."""
    return ops.where(denominator > 0, numerator / ops.where(denominator > 0, denominator, 1.0), 0.0)
