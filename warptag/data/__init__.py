"""Reads TFRecord shards as batches of crops, or of their features, and labels."""

from tfrecords_tools.extras import requires

with requires("tensorflow"):
    from warptag.data.features import FeatureRecords
    from warptag.data.reading import input_errors
    from warptag.data.records import Records

__all__ = ["FeatureRecords", "Records", "input_errors"]
