"""Reading the records of a TFRecord file back, as far as they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.errors import DamagedDataset, InputError
from tfrecords_tools.schema import Record, deserialize

# Reading records one by one takes several times as long; these are in memory at once.
RECORDS_AT_ONCE = 32


def read_serialized(path: Path) -> Iterator[bytes | None]:
    """The serialized records of a file, up to a damaged one, for which the last value is None.

    TensorFlow checks both checksums of a record, that of its length and that of its content.
    """
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(os.fsencode(path))
    num_records = 0
    try:
        for batch in dataset.batch(RECORDS_AT_ONCE).as_numpy_iterator():
            yield from batch
            num_records += len(batch)
    except tf.errors.OpError:
        # A record of this batch; the whole ones before it are read again one by one.
        try:
            yield from dataset.skip(num_records).as_numpy_iterator()
        except tf.errors.OpError:
            yield None


def read_record(path: Path, index: int) -> Record:
    """The record with this index, from 0, in a TFRecord file; raises DamagedDataset."""
    import tensorflow as tf

    try:
        dataset = tf.data.TFRecordDataset(os.fsencode(path)).skip(index)
        return deserialize(next(dataset.as_numpy_iterator()))
    except (StopIteration, tf.errors.OpError, InputError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> DamagedDataset:
    """The error that says that a file of records is damaged or missing."""
    return DamagedDataset(f"{path} is damaged or missing", path)
