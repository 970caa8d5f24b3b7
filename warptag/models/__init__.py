"""Networks that map an image to one raw score per tag."""

from warptag.models.alexnet import AlexNet
from warptag.models.backbone import (
    IMAGENET,
    Backbone,
    FeatureNetwork,
    WeightsNotDownloaded,
    backbone_names,
    check_backbone_name,
    default_size,
    weights_folder,
)
from warptag.models.head import Head, PretrainedNetwork

__all__ = [
    "IMAGENET",
    "AlexNet",
    "Backbone",
    "FeatureNetwork",
    "Head",
    "PretrainedNetwork",
    "WeightsNotDownloaded",
    "backbone_names",
    "check_backbone_name",
    "default_size",
    "weights_folder",
]
