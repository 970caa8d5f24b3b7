"""What a network has to beat: bounds, and classical annotators over visual features.

Every method gives scores, a float array (num_images, num_tags); higher is better. Source: Gong et
al. 2013 (arXiv 1312.4894), sections 5.1 and 5.2. TensorFlow is not needed, and the two bounds need
NumPy alone: the others are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tfrecords_tools.extras import requires
from warptag.baselines.bounds import most_frequent_scores, upper_bound_scores

if TYPE_CHECKING:
    from warptag.baselines.features.block_embedding import NUSWIDE_KERNELS, BlockEmbedding
    from warptag.baselines.features.embedding import KernelEmbedding
    from warptag.baselines.features.visual_features import VisualFeatures
    from warptag.baselines.jec import JECAnnotator
    from warptag.baselines.knn import KNNAnnotator
    from warptag.baselines.svm import SVMAnnotator
    from warptag.baselines.tagprop import TagPropAnnotator
    from warptag.baselines.two_pass_knn import TwoPassKNNAnnotator

_MODULES = {
    "NUSWIDE_KERNELS": "features.block_embedding",
    "BlockEmbedding": "features.block_embedding",
    "JECAnnotator": "jec",
    "KNNAnnotator": "knn",
    "KernelEmbedding": "features.embedding",
    "SVMAnnotator": "svm",
    "TagPropAnnotator": "tagprop",
    "TwoPassKNNAnnotator": "two_pass_knn",
    "VisualFeatures": "features.visual_features",
}

__all__ = [
    "NUSWIDE_KERNELS",
    "BlockEmbedding",
    "JECAnnotator",
    "KNNAnnotator",
    "KernelEmbedding",
    "SVMAnnotator",
    "TagPropAnnotator",
    "TwoPassKNNAnnotator",
    "VisualFeatures",
    "most_frequent_scores",
    "upper_bound_scores",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        with requires("reproduce"):
            return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
