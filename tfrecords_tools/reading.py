"""Reading the records of a data set back: all, one, or only their sizes and tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import HEIGHT, TAG_IDS, WIDTH, Record, deserialize

# Reading records singly takes several times as long; so many are in memory at once.
RECORDS_AT_ONCE = 32


class Labels(NamedTuple):
    """Sizes and tags of a few images.

    Attributes:
        heights: (n,) int64, in pixels.
        widths: (n,) int64, in pixels.
        num_tags: (n,) int64, the number of tags of each image.
        tag_ids: (sum(num_tags),) int64, the tags of the first image, of the second, and so on.
    """

    heights: np.ndarray
    widths: np.ndarray
    num_tags: np.ndarray
    tag_ids: np.ndarray


def read_serialized(path: Path) -> Iterator[bytes | None]:
    """The serialized records of a file; None, and then no more, for one that is damaged.

    TensorFlow checks both checksums of a record, that of its length and that of its content.
    """
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(str(path))
    num_records = 0
    try:
        for batch in dataset.batch(RECORDS_AT_ONCE).as_numpy_iterator():
            yield from batch
            num_records += len(batch)
    except tf.errors.OpError:
        # One of the next few; the whole ones before it come again one by one.
        try:
            yield from dataset.skip(num_records).as_numpy_iterator()
        except tf.errors.OpError:
            yield None


def read_record(path: Path, index: int) -> Record:
    """The record of this index, from 0, in a TFRecord file.

    Raises:
        InputError: it is damaged or missing.
    """
    import tensorflow as tf

    try:
        return deserialize(next(tf.data.TFRecordDataset(str(path)).skip(index).as_numpy_iterator()))
    except (StopIteration, tf.errors.OpError, InputError) as error:
        raise _damaged(path) from error


def read_labels(path: Path) -> Iterator[Labels]:
    """The sizes and tags of all images in a TFRecord file, a few at a time, in order.

    Raises:
        InputError: a record is damaged, or the file is missing.
    """
    import tensorflow as tf

    features = {
        HEIGHT: tf.io.FixedLenFeature([], tf.int64),
        WIDTH: tf.io.FixedLenFeature([], tf.int64),
        TAG_IDS: tf.io.RaggedFeature(tf.int64),
    }
    serialized = tf.data.TFRecordDataset(str(path)).batch(RECORDS_AT_ONCE)
    try:
        for batch in serialized:
            labels = tf.io.parse_example(batch, features)
            yield Labels(
                heights=labels[HEIGHT].numpy(),
                widths=labels[WIDTH].numpy(),
                num_tags=labels[TAG_IDS].row_lengths().numpy(),
                tag_ids=labels[TAG_IDS].values.numpy(),
            )
    except tf.errors.OpError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path} is damaged or missing; `python -m tfrecords_tools verify {path.parent}` says what "
        "is wrong"
    )
