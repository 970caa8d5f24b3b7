"""What the losses share: checks of the labels, dtype handling and serialisation."""

from __future__ import annotations

import keras
from keras import ops


class TagLoss(keras.losses.Loss):
    """Base of the losses over raw scores and multi-hot labels.

    A subclass writes `image_losses(positive, negative, scores)`, one value an image.

    Args:
        reduction: as in `keras.losses.Loss`; the default is the mean over images.
        name: name of the loss.
        dtype: dtype policy of the loss. Scores below float32 are computed in float32; only the
            reduced value has the dtype asked for.
    """

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """One loss an image.

        Args:
            y_true: (batch, num_tags): 1 positive, 0 negative; -1, like any other value, is
                unknown and enters no sum.
            y_pred: float (batch, num_tags), raw scores.

        Returns:
            float (batch,), 0 with zero gradient where an image has nothing to compare.

        Raises:
            ValueError: the two shapes differ or are not two-dimensional.
        """
        y_true, scores = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        labels_shape, scores_shape = tuple(y_true.shape), tuple(scores.shape)
        # A size that is None in the graph is known only when the graph runs.
        if not (len(labels_shape) == len(scores_shape) == 2) or any(
            a is not None and b is not None and a != b
            for a, b in zip(labels_shape, scores_shape, strict=True)
        ):
            raise ValueError(
                "y_true and y_pred must both be (batch, num_tags), "
                f"got shapes {labels_shape} and {scores_shape}"
            )
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
        return self.image_losses(ops.equal(y_true, 1), ops.equal(y_true, 0), scores)

    def image_losses(self, positive, negative, scores):
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype}


def count(mask, dtype):
    """Number of true entries in each row of a boolean (batch, num_tags)."""
    return ops.sum(ops.cast(mask, dtype), axis=-1)


def divide(numerator, denominator):
    """numerator / denominator, and 0 with zero gradient where the denominator is 0."""
    safe = ops.where(denominator > 0, denominator, ops.ones_like(denominator))
    return ops.where(denominator > 0, numerator / safe, ops.zeros_like(safe))
