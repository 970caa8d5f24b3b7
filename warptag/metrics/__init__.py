"""Annotation metrics: NumPy functions and the streaming Keras metrics that agree with them."""

from warptag.metrics.annotation_metrics import AnnotationMetrics, annotation_metrics
from warptag.metrics.average_precision import MeanAveragePrecision, mean_average_precision
from warptag.metrics.counts import METRIC_NAMES, annotation_report, top_k_counts, top_k_tags
from warptag.metrics.coverage import CoverageError, coverage_error
from warptag.metrics.top_k import (
    NPlus,
    OverallF1,
    OverallPrecision,
    OverallRecall,
    PerClassF1,
    PerClassPrecision,
    PerClassRecall,
)

__all__ = [
    "METRIC_NAMES",
    "AnnotationMetrics",
    "CoverageError",
    "MeanAveragePrecision",
    "NPlus",
    "OverallF1",
    "OverallPrecision",
    "OverallRecall",
    "PerClassF1",
    "PerClassPrecision",
    "PerClassRecall",
    "annotation_metrics",
    "annotation_report",
    "coverage_error",
    "mean_average_precision",
    "top_k_counts",
    "top_k_tags",
]
