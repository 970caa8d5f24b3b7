"""Networks that map an image to one raw score a tag."""

from warptag.keras_version import require_keras3
from warptag.models.alexnet import AlexNet
from warptag.models.backbone import Backbone, backbone_names, check_backbone_name

require_keras3("warptag.models")

__all__ = ["AlexNet", "Backbone", "backbone_names", "check_backbone_name"]
