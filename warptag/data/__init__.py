"""TFRecord shards to batches of crops and labels."""

from warptag.data.records import Records

__all__ = ["Records"]
