"""The paper's figures as streaming Keras metrics over per-tag counts (fractions of 1)."""

from __future__ import annotations

import keras
from keras import ops

from warptag.metrics.counts import is_integer

# Float32's lowest finite number: a known tag at -inf still ranks above every unknown tag.
LOWEST = -3.4028234e38


class TopKMetric(keras.metrics.Metric):
    """Base: accumulates correct, predicted and positive counts of every tag.

    The rules are those of `warptag.metrics.annotation_report`: exactly k tags an image, ties to
    the lower tag index, labels of -1 (unknown) neither ranked nor counted; so is a label other
    than 1 and 0, which cannot be refused in a graph. The counts are summed over batches and
    replicas, so the result does not depend on how images are batched.

    Args:
        k: number of tags given to each image, from 1 to the number of tags.
        name: name of the metric; the default carries k, as in `per_class_recall_at_3`.
        dtype: dtype of the result; the counts are kept in at least float32.

    Call arguments:
        y_true: (batch, num_tags), 1, 0 or -1.
        y_pred: (batch, num_tags) scores, higher is better.
        sample_weight: optional (batch,); an image counts that many times.

    Raises:
        ValueError: k is not a positive integer or is above the number of tags, or a shape does
            not fit.
    """

    def __init__(self, k: int = 3, name: str | None = None, dtype=None):
        if not is_integer(k) or k < 1:
            raise ValueError(f"k must be a positive integer, got {k!r}")
        super().__init__(name=name or f"{self.figure}_at_{k}", dtype=dtype)
        self.k = int(k)
        # float16 cannot count above 2048.
        self._count_dtype = keras.backend.result_type(self.dtype, "float32")
        self._counts_built = False

    figure = "top_k"

    def _build(self, num_tags: int):
        if self.k > num_tags:
            raise ValueError(f"k must be at most the number of tags ({num_tags}), got {self.k}")
        for count in ("correct", "predicted", "positive"):
            variable = self.add_variable(
                shape=(num_tags,), initializer="zeros", dtype=self._count_dtype, name=count
            )
            setattr(self, count, variable)
        self._counts_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
        _check_shapes(y_true, y_pred)
        num_tags = y_pred.shape[-1]
        if not self._counts_built:
            self._build(num_tags)
        elif num_tags != self.correct.shape[0]:
            raise ValueError(
                f"y_pred must have the {self.correct.shape[0]} tags of the batches before, "
                f"got {num_tags}"
            )
        positive = ops.equal(y_true, 1)
        known = ops.logical_or(positive, ops.equal(y_true, 0))
        # Unknown tags go last; a stable order of the others keeps ties at the lower index.
        # Subtracted from 0.0 and not negated: XLA orders -0.0 below 0.0.
        descending = ops.where(known, 0.0 - ops.maximum(y_pred, LOWEST), float("inf"))
        order = ops.argsort(descending, axis=-1)[:, : self.k]
        given = ops.sum(ops.one_hot(order, num_tags, dtype=self._count_dtype), axis=1)
        given = ops.where(known, given, ops.zeros_like(given))
        positive = ops.cast(positive, self._count_dtype)
        weight = ops.ones_like(given[:, :1])
        if sample_weight is not None:
            weight = weight * self._image_weights(sample_weight)
        self.correct.assign_add(ops.sum(weight * given * positive, axis=0))
        self.predicted.assign_add(ops.sum(weight * given, axis=0))
        self.positive.assign_add(ops.sum(weight * positive, axis=0))

    def _image_weights(self, sample_weight):
        weight = ops.cast(ops.convert_to_tensor(sample_weight), self._count_dtype)
        if len(weight.shape) == 2 and weight.shape[1] == 1:
            return weight
        if len(weight.shape) != 1:
            raise ValueError(f"sample_weight must be (batch,), got shape {tuple(weight.shape)}")
        return weight[:, None]

    def result(self):
        if not self._counts_built:
            return ops.zeros((), dtype=self.dtype)
        return ops.cast(self._figure(), self.dtype)

    def _figure(self):
        raise NotImplementedError

    def _mean_over_occurring(self, values):
        occurring = ops.cast(self.positive > 0, self._count_dtype)
        return _ratio(ops.sum(values * occurring), ops.sum(occurring))

    def get_config(self):
        return {**super().get_config(), "k": self.k}


def _check_shapes(y_true, y_pred):
    labels_shape, scores_shape = tuple(y_true.shape), tuple(y_pred.shape)
    # A size that is None in the graph is known only when the graph runs.
    if not (len(labels_shape) == len(scores_shape) == 2) or any(
        a is not None and b is not None and a != b
        for a, b in zip(labels_shape, scores_shape, strict=True)
    ):
        raise ValueError(
            "y_true and y_pred must both be (batch, num_tags), "
            f"got shapes {labels_shape} and {scores_shape}"
        )


def _ratio(numerator, denominator):
    safe = ops.where(denominator > 0, denominator, ops.ones_like(denominator))
    return ops.where(denominator > 0, numerator / safe, ops.zeros_like(safe))


@keras.saving.register_keras_serializable("warptag")
class PerClassRecall(TopKMetric):
    """Mean over tags with a positive image of correct / positive, at k tags an image.

    See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = PerClassRecall(k=1)
        >>> metric.update_state([[1, 0, 0], [0, 1, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> round(float(metric.result()), 3)  # (1/1 + 0/1 + 0/1) / 3
        0.333
    """

    figure = "per_class_recall"

    def _figure(self):
        return self._mean_over_occurring(_ratio(self.correct, self.positive))


@keras.saving.register_keras_serializable("warptag")
class PerClassPrecision(TopKMetric):
    """Mean over tags with a positive image of correct / predicted; 0 for an unpredicted tag.

    See `TopKMetric` for arguments and rules.
    """

    figure = "per_class_precision"

    def _figure(self):
        return self._mean_over_occurring(_ratio(self.correct, self.predicted))


@keras.saving.register_keras_serializable("warptag")
class OverallRecall(TopKMetric):
    """Sum of correct over sum of positive. See `TopKMetric` for arguments and rules."""

    figure = "overall_recall"

    def _figure(self):
        return _ratio(ops.sum(self.correct), ops.sum(self.positive))


@keras.saving.register_keras_serializable("warptag")
class OverallPrecision(TopKMetric):
    """Sum of correct over sum of predicted. See `TopKMetric` for arguments and rules."""

    figure = "overall_precision"

    def _figure(self):
        return _ratio(ops.sum(self.correct), ops.sum(self.predicted))


@keras.saving.register_keras_serializable("warptag")
class NPlus(TopKMetric):
    """Share of the tags with a positive image that were given correctly at least once.

    See `TopKMetric` for arguments and rules.
    """

    figure = "n_plus"

    def _figure(self):
        return self._mean_over_occurring(ops.cast(self.correct > 0, self._count_dtype))
