"""Networks that map an image to one raw score a tag."""

from warptag.models.alexnet import AlexNet

__all__ = ["AlexNet"]
