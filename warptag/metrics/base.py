"""What the Keras metrics share: reading labels, scores and weights of a batch."""

from __future__ import annotations

from warptag.backends import is_concrete
from warptag.keras_api import Metric, map_structure, ops, result_type, value_of
from warptag.labels import Labels, check_format, read_labels


class NaNScores(ValueError):
    """Scores that cannot be ranked, since one is NaN."""


class TagMetric(Metric):
    """Base of the metrics over scores and the tags of each image.

    State is summed over batches and replicas, so a result does not depend on how images are
    batched or distributed. A subclass writes `add_variables(num_tags)`,
    `add_batch(labels, scores, weight)` and `value()`.

    Args:
        name: name of the metric.
        dtype: dtype of the result; state is kept in at least float32.
        labels: `"multi_hot"` (default) or `"ids"`.

    Call arguments:
        y_true: with `labels="multi_hot"` (batch, num_tags): 1, 0, or -1 for unknown, which is
            neither ranked nor counted. With `labels="ids"` (batch, K): the ids of the positive
            tags, padded with -1.
        y_pred: (batch, num_tags) scores, higher is better.
        sample_weight: optional (batch,); an image counts that many times.

    Raises:
        ValueError: a shape does not fit; or, where values can be seen, a label does not exist or
            a score is NaN. A compiled graph cannot raise: there the result is NaN.

    Example:
        >>> from warptag.metrics import CoverageError
        >>> metric = CoverageError(labels="ids")
        >>> metric.update_state([[0, -1], [1, 2]], [[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]])
        >>> float(metric.result())  # the positive tags are found after 1 and after 3 tags
        2.0
    """

    def __init__(self, name: str | None = None, dtype=None, labels: str = "multi_hot"):
        super().__init__(name=name, dtype=dtype)
        self.labels = check_format(labels)
        # float16 cannot count above 2048.
        self.state_dtype = result_type(self.dtype, "float32")
        self.num_tags: int | None = None
        # Images whose label or score no figure can be made of.
        self.unusable = self.add_state("unusable")

    def add_variables(self, num_tags: int) -> None:
        raise NotImplementedError

    def add_batch(self, labels: Labels, scores, weight) -> None:
        """Add a batch to the state; weight is (batch, 1)."""
        raise NotImplementedError

    def value(self):
        """The result, a scalar or a dict of scalars, once there are variables."""
        raise NotImplementedError

    def value_of_nothing(self):
        """The result before the first batch."""
        return ops.zeros(())

    def add_state(self, name: str, *shape: int):
        return self.add_weight(name=name, shape=shape, initializer="zeros", dtype=self.state_dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        scores = ops.convert_to_tensor(y_pred)
        scores = ops.cast(scores, result_type(scores.dtype, "float32"))
        labels = read_labels(y_true, scores, self.labels)
        num_tags = scores.shape[-1]
        if self.num_tags is None:
            self.add_variables(num_tags)
            self.num_tags = num_tags
        elif num_tags != self.num_tags:
            raise ValueError(
                f"y_pred must have the {self.num_tags} tags of the batches before, got {num_tags}"
            )
        unusable = ops.any(ops.isnan(scores), axis=-1)
        if is_concrete(unusable) and bool(ops.any(unusable)):
            row = int(ops.argmax(unusable))
            raise NaNScores(f"scores hold NaN (first at image {row}); rank finite numbers")
        unusable = ops.logical_or(unusable, ops.isnan(labels.num_negative))
        self.unusable.assign_add(ops.sum(ops.cast(unusable, self.state_dtype)))
        weight = self._weights(sample_weight, unusable)
        self.add_batch(labels, scores, weight[:, None])

    def result(self):
        result = self.value_of_nothing() if self.num_tags is None else self.value()

        def finish(value):
            value = ops.where(value_of(self.unusable) > 0, float("nan"), value)
            return ops.cast(value, self.dtype)

        return map_structure(finish, result)

    def _weights(self, sample_weight, images):
        """One weight an image: (batch,)."""
        if sample_weight is None:
            return ops.ones_like(images, dtype=self.state_dtype)
        weight = ops.cast(ops.convert_to_tensor(sample_weight), self.state_dtype)
        shape = tuple(weight.shape)
        if len(shape) == 2 and shape[1] == 1:
            weight = weight[:, 0]
        elif len(shape) != 1:
            raise ValueError(f"sample_weight must be (batch,), got shape {shape}")
        num_images, num_weights = images.shape[0], shape[0]
        if None not in (num_images, num_weights) and num_images != num_weights:
            raise ValueError(
                f"sample_weight must be one number for each of the {num_images} images, "
                f"got {num_weights}"
            )
        return weight

    def get_config(self):
        return {**super().get_config(), "labels": self.labels}


def ratio(numerator, denominator):
    """numerator / denominator, 0 where the denominator is 0, NaN where either is NaN."""
    nothing = ops.equal(denominator, 0)
    return ops.where(nothing, 0.0, numerator / ops.where(nothing, 1.0, denominator))
