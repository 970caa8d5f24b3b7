"""Classic visual features: colour, gradients and visual words."""

from warptag.baselines.features.visual_features import VisualFeatures

__all__ = ["VisualFeatures"]
