"""What a network has to beat: the upper and lower bound, and visual features with kNN and SVM.

Everything here gives scores, a float array (num_images, num_tags), higher is better.
Gong et al. 2013 (arXiv 1312.4894), sections 5.1 and 5.2. No TensorFlow is needed.
"""

from warptag.baselines.features import (
    NUSWIDE_KERNELS,
    BlockEmbedding,
    KernelEmbedding,
    VisualFeatures,
)
from warptag.baselines.jec import JECAnnotator
from warptag.baselines.knn import KNNAnnotator
from warptag.baselines.most_frequent import most_frequent_scores
from warptag.baselines.svm import SVMAnnotator
from warptag.baselines.tagprop import TagPropAnnotator
from warptag.baselines.two_pass_knn import TwoPassKNNAnnotator
from warptag.baselines.upper_bound import upper_bound_scores

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
