"""Coverage error: how far down the ranking the last positive tag is (Tsoumakas et al. 2010)."""

from __future__ import annotations

import keras
import numpy as np

from warptag.keras_api import ops, value_of
from warptag.metrics.base import TagMetric, ratio
from warptag.metrics.counts import checked_labels, checked_scores, checked_weight


def coverage_error(y_true, scores, sample_weight=None) -> float:
    """Mean over images of the number of tags that must be named until every positive one is.

    A tag that ties with the lowest positive counts too. Unknown tags (-1) are not ranked, and
    images without a positive tag are left out (scikit-learn's function counts them as 0; on other
    images the two are equal).

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: array of the same shape, higher is better.
        sample_weight: optional (num_images,), numbers of at least 0.

    Returns:
        From 1 to num_tags; 0 where no image has a positive tag.

    Raises:
        ValueError: a shape does not fit, a label does not exist, or a score is NaN.

    Example:
        >>> coverage_error([[1, 0, 0], [0, 0, 1]], [[3, 2, 1], [3, 1, 2]])  # (1 + 2) / 2
        1.5
    """
    scores = checked_scores(scores)
    labels = checked_labels(y_true, scores)
    weight = checked_weight(sample_weight, len(scores))
    positive = labels == 1
    lowest = np.where(positive, scores, np.inf).min(axis=1, initial=np.inf)
    depth = ((scores >= lowest[:, None]) & (labels != -1)).sum(axis=1)
    weight = weight * positive.any(axis=1)
    return float((weight * depth).sum() / weight.sum()) if weight.sum() else 0.0


@keras.saving.register_keras_serializable("warptag")
class CoverageError(TagMetric):
    """Mean number of tags that must be named until every positive one is; from 1 to num_tags.

    The rules are those of `warptag.metrics.coverage_error`. Arguments as `TagMetric`.

    Example:
        >>> metric = CoverageError()
        >>> metric.update_state([[1, 0, 0], [0, 0, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> float(metric.result())  # (1 + 2) / 2
        1.5
    """

    def __init__(self, name="coverage_error", dtype=None, labels="multi_hot"):
        super().__init__(name, dtype, labels)

    def add_variables(self, num_tags):
        self._coverage = CoverageState(self)

    def add_batch(self, labels, scores, weight):
        self._coverage.add(labels, scores, weight)

    def value(self):
        return self._coverage.value()


class CoverageState:
    """Sum of depths and of weights, as state of a metric."""

    def __init__(self, metric: TagMetric):
        self.depth = metric.add_state("depth")
        self.weight = metric.add_state("weight")

    def add(self, labels, scores, weight) -> None:
        lowest = ops.min(ops.where(labels.positive, scores, float("inf")), axis=-1, keepdims=True)
        known = ops.logical_or(labels.positive, labels.negative)
        depth = ops.sum(ops.cast(ops.logical_and(known, scores >= lowest), weight.dtype), axis=-1)
        weight = weight[:, 0] * ops.cast(ops.any(labels.positive, axis=-1), weight.dtype)
        self.depth.assign_add(ops.sum(weight * depth))
        self.weight.assign_add(ops.sum(weight))

    def value(self):
        return ratio(value_of(self.depth), value_of(self.weight))
