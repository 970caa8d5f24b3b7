"""The paper's nine visual features, and the embedding that makes any feature a short vector."""

from warptag.baselines.features.block_embedding import NUSWIDE_KERNELS, BlockEmbedding
from warptag.baselines.features.embedding import KernelEmbedding
from warptag.baselines.features.visual_features import VisualFeatures

__all__ = ["NUSWIDE_KERNELS", "BlockEmbedding", "KernelEmbedding", "VisualFeatures"]
