"""Annotation metrics at k tags an image: NumPy functions and the Keras metrics over them."""

from warptag.metrics.counts import FIGURES, annotation_report, top_k_counts, top_k_tags
from warptag.metrics.top_k import (
    NPlus,
    OverallPrecision,
    OverallRecall,
    PerClassPrecision,
    PerClassRecall,
)

__all__ = [
    "FIGURES",
    "NPlus",
    "OverallPrecision",
    "OverallRecall",
    "PerClassPrecision",
    "PerClassRecall",
    "annotation_report",
    "top_k_counts",
    "top_k_tags",
]
