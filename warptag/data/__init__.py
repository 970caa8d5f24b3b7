"""TFRecord shards to batches of crops and labels."""

from warptag.data.augmentation import Augmentation
from warptag.data.reading import input_errors
from warptag.data.records import Records

__all__ = ["Augmentation", "Records", "input_errors"]
