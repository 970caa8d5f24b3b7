"""Every figure at once, from one ranking of the scores."""

from __future__ import annotations

from collections.abc import Iterable

import keras

from warptag.keras_api import ops
from warptag.metrics.average_precision import KeptScores, check_num_images, mean_average_precision
from warptag.metrics.base import TagMetric
from warptag.metrics.counts import annotation_report
from warptag.metrics.coverage import CoverageState, coverage_error
from warptag.metrics.top_k import TopKCounts, check_k, rank_tags


def annotation_metrics(y_true, scores, k=(3, 5), sample_weight=None) -> dict[str, float]:
    """Every figure of `AnnotationMetrics` in NumPy, under the same names and in fractions of 1.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: array of the same shape, higher is better.
        k: numbers of tags an image.
        sample_weight: optional (num_images,), numbers of at least 0.

    Returns:
        For each k the figures of `annotation_report`, `per_class_f1` (2 P R / (P + R) of the
        per-class means) and `overall_f1`, named as `per_class_recall_at_3`; then
        `mean_average_precision` and `coverage_error` (in tags).

    Raises:
        ValueError: as `annotation_report`.

    Example:
        >>> figures = annotation_metrics([[1, 0, 0], [0, 1, 1]], [[3, 2, 1], [3, 1, 2]], k=(1, 2))
        >>> figures["overall_precision_at_1"], figures["overall_precision_at_2"]
        (0.5, 0.5)
    """
    result = {}
    for one in _check_every_k(k):
        report = annotation_report(y_true, scores, one, sample_weight)
        figures = {name: value / 100 for name, value in report.items()}
        for level in ("per_class", "overall"):
            precision, recall = figures[f"{level}_precision"], figures[f"{level}_recall"]
            both = precision + recall
            figures[f"{level}_f1"] = 2 * precision * recall / both if both else 0.0
        result.update({f"{name}_at_{one}": figures[name] for name in TopKCounts.FIGURES})
    result["mean_average_precision"] = mean_average_precision(y_true, scores, sample_weight)
    result["coverage_error"] = coverage_error(y_true, scores, sample_weight)
    return result


@keras.saving.register_keras_serializable("warptag")
class AnnotationMetrics(TagMetric):
    """Every figure of this package as one metric, whose result is a dict.

    The scores of a batch are read and ranked once for all of them.

    Args:
        k: numbers of tags an image: one, or several.
        num_images: as `MeanAveragePrecision`, the most images of one evaluation. None leaves mean
            average precision out, and with it the kept scores and their sorting after each batch.
        name, dtype, labels: as `TagMetric`, with its call arguments.

    Returns of `result()`:
        dict of scalars, named as in `annotation_metrics`.

    Raises:
        ValueError: k or num_images is not a positive integer, or as `TagMetric`.

    Example:
        >>> metric = AnnotationMetrics(k=(1, 2), num_images=2)
        >>> metric.update_state([[1, 0, 0], [0, 1, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> float(metric.result()["overall_precision_at_1"])  # 1 correct of 2 given
        0.5
    """

    def __init__(
        self,
        k=(3, 5),
        num_images: int | None = 10_000,
        name="annotation_metrics",
        dtype=None,
        labels="multi_hot",
    ):
        super().__init__(name, dtype, labels)
        self.k = _check_every_k(k)
        self.num_images = None if num_images is None else check_num_images(num_images)

    def add_variables(self, num_tags):
        self._counts = [TopKCounts(self, k, num_tags, f"at_{k}_") for k in self.k]
        self._coverage = CoverageState(self)
        self._kept = None
        if self.num_images is not None:
            self._kept = KeptScores(self, self.num_images, num_tags)

    def add_batch(self, labels, scores, weight):
        ranked = rank_tags(labels, scores, max(self.k))
        for counts in self._counts:
            counts.add(labels, ranked, weight)
        self._coverage.add(labels, scores, weight)
        if self._kept is not None:
            self._kept.add(labels, scores, weight)

    def value(self):
        values = [value for counts in self._counts for value in counts.figures().values()]
        if self._kept is not None:
            values.append(self._kept.value())
        values.append(self._coverage.value())
        return dict(zip(self._names(), values, strict=True))

    def value_of_nothing(self):
        return {name: ops.zeros(()) for name in self._names()}

    def _names(self) -> list[str]:
        names = [f"{figure}_at_{k}" for k in self.k for figure in TopKCounts.FIGURES]
        if self.num_images is not None:
            names.append("mean_average_precision")
        return [*names, "coverage_error"]

    def get_config(self):
        return {**super().get_config(), "k": self.k, "num_images": self.num_images}


def _check_every_k(k) -> list[int]:
    values = [check_k(one) for one in (k if isinstance(k, Iterable) else (k,))]
    if not values or len(set(values)) < len(values):
        raise ValueError(f"k must be one or several different positive integers, got {k!r}")
    return values
