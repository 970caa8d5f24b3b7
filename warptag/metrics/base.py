"""The base class of the Keras metrics: labels, scores and weights of a batch."""

from __future__ import annotations

from collections import ChainMap
from typing import Protocol

from warptag.keras_api import Metric, ops, result_type, value_of
from warptag.keras_api.backend import is_concrete
from warptag.labels import FORMATS, Labels, check_choice, read_labels


class NaNScores(ValueError):
    """Scores that cannot be ranked because one of them is NaN."""


class State(Protocol):
    """Sums over the images so far, in variables made by `TagMetric.add_state`."""

    def add(self, labels: Labels, scores, weight) -> None:
        """Add a batch; weight is (batch, 1)."""

    def values(self) -> dict:
        """Scalars by the names of the metrics."""


class TagMetric(Metric):
    """Base class of the metrics over scores and the tags of each image.

    State is summed over batches and replicas, so the result does not depend on how the images are
    batched or distributed. A subclass implements `make_states(num_tags)` and sets `metric`.

    Args:
        name: name of the metric.
        dtype: dtype of the result; state is kept in at least float32.
        labels: format of the labels, `"multi_hot"` (default) or `"ids"`.

    Call arguments:
        y_true: for `labels="multi_hot"`, (batch, num_tags): 1 positive, 0 negative, -1 unknown,
            which is neither ranked nor counted. For `labels="ids"`, (batch, K): the ids of the
            positive tags, padded with -1.
        y_pred: float (batch, num_tags), scores; higher is better.
        sample_weight: optional (batch,); an image counts that many times.

    Raises:
        ValueError: if an argument is invalid, if shapes do not match or, outside compiled graphs,
            if a label is invalid or the score of a known tag is NaN. Inside compiled graphs the
            result is NaN.

    Example:
        >>> from warptag.metrics import CoverageError
        >>> metric = CoverageError(labels="ids")
        >>> metric.update_state([[0, -1], [1, 2]], [[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]])
        >>> float(metric.result())  # the positive tags are found after 1 and after 3 tags
        2.0
    """

    #: The name of the states' value that is the result, and the default name.
    metric = ""

    def __init__(self, name: str | None = None, dtype=None, labels: str = "multi_hot"):
        super().__init__(name=name or self.metric, dtype=dtype)
        check_choice("labels", labels, FORMATS)
        self.labels = labels
        # float16 cannot count above 2048.
        self.state_dtype = result_type(self.dtype, "float32")
        self.num_tags: int | None = None
        # The number of images with an invalid label or a known tag's score of NaN.
        self.unusable = self.add_state("unusable")

    def make_states(self, num_tags: int) -> list[State]:
        raise NotImplementedError

    def metric_names(self) -> list[str]:
        """The names of the states' values that the result consists of."""
        return [self.metric]

    def add_state(self, name: str, *shape: int):
        return self.add_weight(name=name, shape=shape, initializer="zeros", dtype=self.state_dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        scores = ops.convert_to_tensor(y_pred)
        scores = ops.cast(scores, result_type(scores.dtype, "float32"))
        labels = read_labels(y_true, scores, self.labels)
        num_tags = scores.shape[-1]
        if self.num_tags is None:
            self._states = self.make_states(num_tags)
            self.num_tags = num_tags
        elif num_tags != self.num_tags:
            raise ValueError(
                f"y_pred must have the {self.num_tags} tags of the previous batches, got {num_tags}"
            )
        known = ops.logical_or(labels.positive, labels.negative)
        unusable = ops.any(ops.logical_and(known, ops.isnan(scores)), axis=-1)
        if is_concrete(unusable) and bool(ops.any(unusable)):
            row = int(ops.argmax(unusable))
            raise NaNScores(f"scores must not be NaN, got NaN (first in image {row})")
        unusable = ops.logical_or(unusable, ops.isnan(labels.num_negative))
        self.unusable.assign_add(ops.sum(ops.cast(unusable, self.state_dtype)))
        # What is left is of unknown tags, which no metric looks at.
        scores = ops.where(ops.isnan(scores), 0.0, scores)
        weight = self._weights(sample_weight, unusable)[:, None]
        for state in self._states:
            state.add(labels, scores, weight)

    def values(self) -> dict:
        """The scalars of the result by name; 0 before the first batch."""
        values = {name: ops.zeros(()) for name in self.metric_names()}
        if self.num_tags is not None:
            computed = ChainMap(*(state.values() for state in self._states))
            values = {name: computed[name] for name in values}
        unusable = value_of(self.unusable) > 0
        return {
            name: ops.cast(ops.where(unusable, float("nan"), value), self.dtype)
            for name, value in values.items()
        }

    def result(self):
        (value,) = self.values().values()
        return value

    def _weights(self, sample_weight, images):
        """One weight per image: (batch,)."""
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
                f"sample_weight must have one number for each of the {num_images} images, "
                f"got {num_weights}"
            )
        return weight

    def get_config(self):
        return {**super().get_config(), "labels": self.labels}


def ratio(numerator, denominator):
    """numerator / denominator; 0 where the denominator is 0, NaN where either is NaN."""
    zero = ops.equal(denominator, 0)
    return ops.where(zero, 0.0, numerator / ops.where(zero, 1.0, denominator))
