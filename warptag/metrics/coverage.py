"""Coverage error: how far down the ranking the last positive tag is (Tsoumakas et al. 2010)."""

from __future__ import annotations

import keras
import numpy as np

from warptag.keras_api import ops, value_of
from warptag.metrics.base import TagMetric, ratio
from warptag.metrics.counts import checked_arrays, checked_weight


def coverage_error(y_true, scores, sample_weight=None) -> float:
    """Mean number of tags per image that must be given until all positive ones are.

    Tags that tie with the lowest positive count too. Unknown tags (-1) are not ranked, and images
    without a positive tag are left out (scikit-learn's function counts them as 0; for other images
    the two are equal).

    Source: Tsoumakas, Katakis, Vlahavas, Mining Multi-label Data, 2010.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: array of the same shape, higher is better.
        sample_weight: optional (num_images,), numbers of at least 0.

    Returns:
        A number from 1 to num_tags; 0 if no image has a positive tag.

    Raises:
        ValueError: if shapes do not match, a label is invalid, or a score is NaN.

    Example:
        >>> coverage_error([[1, 0, 0], [0, 0, 1]], [[3, 2, 1], [3, 1, 2]])  # (1 + 2) / 2
        1.5
    """
    labels, scores = checked_arrays(y_true, scores)
    weight = checked_weight(sample_weight, len(scores))
    positive = labels == 1
    lowest = np.where(positive, scores, np.inf).min(axis=1, initial=np.inf)
    depth = ((scores >= lowest[:, None]) & (labels != -1)).sum(axis=1)
    weight = weight * positive.any(axis=1)
    return float((weight * depth).sum() / weight.sum()) if weight.sum() else 0.0


@keras.saving.register_keras_serializable("warptag")
class CoverageError(TagMetric):
    """Streaming `coverage_error`: tags per image that must be given until all positive ones are.

    Args:
        name, dtype, labels: as in `TagMetric`, like the call arguments.

    Raises:
        ValueError: as in `TagMetric`.

    Example:
        >>> metric = CoverageError()
        >>> metric.update_state([[1, 0, 0], [0, 0, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> float(metric.result())  # (1 + 2) / 2
        1.5
    """

    metric = "coverage_error"

    def make_states(self, num_tags):
        return [CoverageSums(self)]


class CoverageSums:
    """Weighted sum of the images' coverage, and sum of their weights."""

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

    def values(self) -> dict:
        return {"coverage_error": ratio(value_of(self.depth), value_of(self.weight))}
