"""Shards to numbered records, and records to batches.

A record that cannot be read (its checksum is wrong, or the file ends before it) is an empty string,
so that the others keep their numbers. It fails where it is decoded.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import Shard

Dataset = tf.data.Dataset

#: A record's number is its index in its file, plus this times the index of the file.
NUMBERS_PER_FILE = 1 << 32
#: Of errors that threads of tf.data raised: TensorFlow passes on their text only.
_messages: deque[str] = deque(maxlen=16)


class Shards:
    """The files of a split.

    Args:
        directory: the data set's folder.
        shards: the files, in order.

    Raises:
        InputError: a file cannot be opened, or its size is not the one in `dataset_info.json`.
    """

    def __init__(self, directory: str | os.PathLike[str], shards: Sequence[Shard]) -> None:
        self.paths = [os.path.join(directory, shard.file) for shard in shards]
        self.sizes = [shard.num_bytes for shard in shards]
        self.lengths = [shard.num_records for shard in shards]
        for file in range(len(shards)):
            self.check(file)

    def check(self, file: int) -> bool:
        """Raises InputError if a file cannot be opened or its size is wrong."""
        try:
            with open(self.paths[file], "rb") as opened:
                size = opened.seek(0, os.SEEK_END)
        except OSError as error:
            raise self.error(file, str(error.strerror)) from None
        if size != self.sizes[file]:
            raise self.error(file, f"{size} bytes instead of {self.sizes[file]}")
        return True

    def error(self, file: int, problem: str) -> InputError:
        """The error that names a file and what is wrong with it."""
        path = self.paths[file]
        message = (
            f"{path}: {problem}; `python -m tfrecords_tools verify {os.path.dirname(path)}` lists "
            "all that is wrong; then convert the images again"
        )
        _messages.append(message)
        return InputError(message)

    def in_order(self) -> tf.data.Dataset:
        """All records: int64 scalar, the number; string scalar, the serialized record or ""."""
        return Dataset.range(len(self.paths)).flat_map(self.read)

    def read(self, file: tf.Tensor) -> tf.data.Dataset:
        """The records of the file of an index, int64 scalar, like `in_order`."""
        # Without this check, `ignore_errors` would try to open a missing file forever.
        with tf.control_dependencies([tf.numpy_function(self.check, [file], tf.bool)]):
            path = tf.gather(self.paths, file)
        records = tf.data.TFRecordDataset(path).ignore_errors()
        records = records.concatenate(Dataset.from_tensors("").repeat())
        first = file * NUMBERS_PER_FILE
        length = tf.gather(tf.constant(self.lengths, tf.int64), file)
        return Dataset.zip((Dataset.range(first, first + length), records))


def decode_batches(
    shards: Shards, batches: tf.data.Dataset, num_batches: int, decode: Callable
) -> tf.data.Dataset:
    """Decodes batches of records, several at a time, in order.

    Args:
        shards: the files, for messages.
        batches: nested tuples of int64 (n,), numbers, string (n,), serialized records, and other
            tensors (n, ...).
        num_batches: the number of batches.
        decode: function of all but the numbers; it fails if a record is damaged.

    Returns:
        Dataset of what `decode` returns.
    """

    def one_batch(*batch):
        one = Dataset.from_tensors(tuple(tf.nest.flatten(batch)))
        decoded = one.map(lambda _, *inputs: decode(*inputs))
        # The second is reached only if the first fails.
        return decoded.ignore_errors().concatenate(one.map(explained)).take(1)

    def explained(numbers, *inputs):
        with tf.control_dependencies([tf.numpy_function(explain, [numbers, *inputs], tf.bool)]):
            return decode(*map(tf.identity, inputs))

    def explain(numbers, *inputs):
        for row, number in enumerate(numbers):
            try:
                decode(*(tf.constant(values[row : row + 1]) for values in inputs))
            # TensorFlow's own message may quote bytes that are not text.
            except (tf.errors.OpError, UnicodeDecodeError):
                file, index = divmod(number, NUMBERS_PER_FILE)
                raise shards.error(file, f"record {index} is damaged or missing") from None
        return True

    # More take memory without being faster.
    parallel = min(os.cpu_count() or 1, 16)
    decoded = batches.interleave(
        one_batch, cycle_length=parallel, num_parallel_calls=parallel, deterministic=True
    )
    # The thread that tunes would delay the end of every use, by up to a minute after a long one.
    options = tf.data.Options()
    options.autotune.enabled = False
    decoded = decoded.prefetch(2).with_options(options)
    # Keras warns at the end of a dataset of unknown length.
    return decoded.apply(tf.data.experimental.assert_cardinality(num_batches))


@contextmanager
def input_errors() -> Iterator[None]:
    """Turns TensorFlow's error about a damaged or missing file into an `InputError`.

    Example:
        >>> from warptag.data import Records
        >>> records = Records("records", "train")
        >>> with input_errors():
        ...     images, labels = next(iter(records.training(crop_size=56, batch_size=2, seed=0)))
    """
    try:
        yield
    except tf.errors.OpError as error:
        for message in _messages:
            if message in error.message:
                raise InputError(message) from None
        raise
