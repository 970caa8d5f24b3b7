"""Reads the records of shards, with their numbers, and decodes them in batches.

A record that cannot be read (its checksum is wrong, or the file ends before it) becomes an empty
string, so that the others keep their numbers. Decoding then fails.
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

#: The number of a record is its index in its file, plus this times the index of the file.
NUMBERS_PER_FILE = 1 << 32
#: The messages of errors that were raised in threads of tf.data, since TensorFlow passes on only
#: their text.
_messages: deque[str] = deque(maxlen=16)


class Shards:
    """The files of a split.

    Args:
        directory: the folder of the data set.
        shards: the files, in order.

    Raises:
        InputError: a file cannot be opened, or its size is not that in `dataset_info.json`.
    """

    def __init__(self, directory: str | os.PathLike[str], shards: Sequence[Shard]) -> None:
        self.paths = [os.path.join(directory, shard.file) for shard in shards]
        # TensorFlow takes text only if it is valid in UTF-8.
        self.encoded_paths = [os.fsencode(path) for path in self.paths]
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
            raise self.error(file, f"has {size} bytes instead of {self.sizes[file]}")
        return True

    def error(self, file: int, problem: str) -> InputError:
        """An error that names a file and its problem."""
        path = self.paths[file]
        message = (
            f"{path}: {problem}; `python -m tfrecords_tools verify {os.path.dirname(path)}` lists "
            "every problem. Convert the images again"
        )
        _messages.append(message)
        return InputError(message)

    def in_order(self) -> tf.data.Dataset:
        """A dataset of all records: number, int64 scalar, and serialized record or "", string
        scalar."""
        return Dataset.range(len(self.paths)).flat_map(self.read)

    def read(self, file: tf.Tensor) -> tf.data.Dataset:
        """A dataset of the records of one file, given its index, int64 scalar; see `in_order`."""
        # Without this check, `ignore_errors` would try to open a missing file forever.
        with tf.control_dependencies([tf.numpy_function(self.check, [file], tf.bool)]):
            path = tf.gather(self.encoded_paths, file)
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
        batches: a dataset of nested tuples of the numbers, int64 (n,), the serialized records,
            string (n,), and other tensors (n, ...).
        num_batches: the number of batches.
        decode: a function of all these tensors but the numbers, which fails if a record is
            damaged.

    Returns:
        A dataset of what `decode` returns.
    """

    # Autograph takes long to convert the functions, which have no conditions or loops on tensors.
    @tf.autograph.experimental.do_not_convert
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
            # TensorFlow's message may quote bytes that are not text.
            except (tf.errors.OpError, UnicodeDecodeError):
                file, index = divmod(number, NUMBERS_PER_FILE)
                raise shards.error(file, f"record {index} is damaged or missing") from None
        return True

    # More would use memory without being faster.
    parallel = min(os.cpu_count() or 1, 16)
    decoded = batches.interleave(
        one_batch, cycle_length=parallel, num_parallel_calls=parallel, deterministic=True
    )
    # The autotuning thread would delay the end of every iteration, by up to a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    decoded = decoded.prefetch(2).with_options(options)
    # Keras warns when a dataset of unknown length ends.
    return decoded.apply(tf.data.experimental.assert_cardinality(num_batches))


@contextmanager
def input_errors() -> Iterator[None]:
    """Turns TensorFlow's errors about damaged or missing files into an `InputError`.

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
