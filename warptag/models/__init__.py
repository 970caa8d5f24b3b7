"""Networks that map an image to one raw score per tag."""

from warptag.models.alexnet import AlexNet
from warptag.models.backbone import Backbone, backbone_names, check_backbone_name

__all__ = ["AlexNet", "Backbone", "backbone_names", "check_backbone_name"]
