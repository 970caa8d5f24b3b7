"""Reads TFRecord shards as batches of crops and labels."""

from tfrecords_tools.extras import requires

with requires("tensorflow"):
    from warptag.data.reading import input_errors
    from warptag.data.records import Records

__all__ = ["Records", "input_errors"]
