"""All metrics at once, from one ranking of the scores."""

from __future__ import annotations

from collections.abc import Iterable

import keras

from warptag.metrics.average_precision import KeptScores, check_num_images, mean_average_precision
from warptag.metrics.base import State, TagMetric
from warptag.metrics.counts import annotation_report
from warptag.metrics.coverage import CoverageSums, coverage_error
from warptag.metrics.top_k import TopKCounts, check_k


def annotation_metrics(y_true, scores, k=(3, 5), sample_weight=None) -> dict[str, float]:
    """The metrics of `AnnotationMetrics` in NumPy, under the same names and as fractions of 1.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: array of the same shape, higher is better.
        k: numbers of tags per image, one integer or several.
        sample_weight: optional (num_images,), numbers of at least 0.

    Returns:
        dict with, for each k, the metrics of `annotation_report`, `per_class_f1` (2 P R / (P + R)
        of the per-class means) and `overall_f1`, named as in `per_class_recall_at_3`; then
        `mean_average_precision` and `coverage_error` (in tags).

    Raises:
        ValueError: as in `annotation_report`.

    Example:
        >>> values = annotation_metrics([[1, 0, 0], [0, 1, 1]], [[3, 2, 1], [3, 1, 2]], k=(1, 2))
        >>> values["overall_precision_at_1"], values["overall_precision_at_2"]
        (0.5, 0.5)
    """
    result = {}
    for one_k in _check_ks(k):
        report = annotation_report(y_true, scores, one_k, sample_weight)
        values = {name: value / 100 for name, value in report.items()}
        for level in ("per_class", "overall"):
            precision, recall = values[f"{level}_precision"], values[f"{level}_recall"]
            total = precision + recall
            values[f"{level}_f1"] = 2 * precision * recall / total if total else 0.0
        result.update({f"{name}_at_{one_k}": values[name] for name in TopKCounts.METRICS})
    result["mean_average_precision"] = mean_average_precision(y_true, scores, sample_weight)
    result["coverage_error"] = coverage_error(y_true, scores, sample_weight)
    return result


@keras.saving.register_keras_serializable("warptag")
class AnnotationMetrics(TagMetric):
    """All metrics of this package as one, whose result is a dict of scalars.

    The scores of a batch are read and ranked once for all of them. The names are those of
    `annotation_metrics`.

    Args:
        k: numbers of tags per image, one integer or several.
        num_images: as in `MeanAveragePrecision`, the maximum number of images in one evaluation.
            None leaves mean average precision out, and with it the kept scores and their sorting
            after each batch.
        name, dtype, labels: as in `TagMetric`, like the call arguments.

    Raises:
        ValueError: if k or num_images is not a positive integer, or as in `TagMetric`.

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
        self.k = _check_ks(k)
        self.num_images = None if num_images is None else check_num_images(num_images)

    def make_states(self, num_tags):
        states: list[State] = [TopKCounts(self, self.k, num_tags), CoverageSums(self)]
        if self.num_images is not None:
            states.append(KeptScores(self, self.num_images, num_tags))
        return states

    def metric_names(self):
        names = [f"{name}_at_{k}" for k in self.k for name in TopKCounts.METRICS]
        if self.num_images is not None:
            names.append("mean_average_precision")
        return [*names, "coverage_error"]

    def result(self):
        return self.values()

    def get_config(self):
        return {**super().get_config(), "k": self.k, "num_images": self.num_images}


def _check_ks(k) -> list[int]:
    values = [check_k(one) for one in (k if isinstance(k, Iterable) else (k,))]
    if not values or len(set(values)) < len(values):
        raise ValueError(f"k must be one positive integer or several different ones, got {k!r}")
    return values
