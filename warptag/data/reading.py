"""Shards to numbered records, and the decoding that finds the damaged ones.

A record's number is its place in the split, counted through the shards in their order, as
`dataset_info.json` gives their lengths. A record that cannot be read (its checksum is wrong, or
the file ends before it) comes as an empty string under its number: whatever is wrong with a file,
the numbers and the length of an epoch stay the same. An empty string cannot be decoded, just as a
whole record without a picture, so that one check after decoding finds both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError

Dataset = tf.data.Dataset

#: Uniform random numbers for each image; crops and augmentation take each its own of them.
NUM_DRAWS = 8
KEPT_AT_A_TIME = 32
#: Each of them decodes one batch; more hold more memory than they bring speed.
MOST_PARALLEL_BATCHES = 16


@dataclass(frozen=True)
class Shards:
    """The files of a split.

    Args:
        names: the files in the data set's folder, in order, for messages.
        paths: where each is read from: there, or a copy.
        lengths: the number of records of each.
        directory: the data set's folder, for messages.
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    lengths: tuple[int, ...]
    directory: str

    @property
    def num_records(self) -> int:
        return sum(self.lengths)

    @cached_property
    def stops(self) -> np.ndarray:
        """int64 (num_files,), the number of the first record after each file."""
        return np.cumsum(self.lengths, dtype=np.int64)

    def in_order(self) -> tf.data.Dataset:
        """All records: int64 scalar, the number; string scalar, the serialized record or ""."""
        return Dataset.range(len(self.paths)).flat_map(self.read)

    def read(self, file: tf.Tensor) -> tf.data.Dataset:
        """The records of one file, like `in_order`; inside a `tf.data` function.

        Args:
            file: int64 scalar, the file's index.
        """
        path = tf.gather(self.paths, file)
        # On a file that cannot be opened `ignore_errors` would try for ever.
        opens = tf.numpy_function(_opens, [path], tf.bool)
        message = tf.strings.join([path, " is missing or cannot be opened; convert again"])
        with tf.control_dependencies([tf.debugging.Assert(opens, [message])]):
            path = tf.identity(path)
        records = tf.data.TFRecordDataset(path).ignore_errors()
        records = records.concatenate(Dataset.from_tensors("").repeat())
        stop = tf.gather(self.stops, file)
        numbers = Dataset.range(stop - tf.gather(np.asarray(self.lengths, np.int64), file), stop)
        return Dataset.zip((numbers, records))

    def where(self, number: int) -> str:
        """The file of a record and its index there, from 0, for messages."""
        file = int(np.searchsorted(self.stops, number, side="right"))
        index = int(number) - int(self.stops[file]) + self.lengths[file]
        return f"{self.names[file]}, record {index}"

    def check_whole(self, numbers: tf.Tensor, decoded_numbers: tf.Tensor) -> tf.Operation:
        """Fails, naming the first, where records of a batch were not decoded; in a graph."""
        decoded = tf.reduce_any(numbers[:, None] == decoded_numbers[None, :], axis=1)
        lost = tf.concat([numbers[~decoded], numbers[:1]], axis=0)[0]
        file = tf.searchsorted(self.stops, lost[None], side="right", out_type=tf.int64)[0]
        index = lost - tf.gather(self.stops, file) + tf.gather(np.asarray(self.lengths), file)
        parts = [
            tf.gather(self.names, file),
            ", record ",
            tf.strings.as_string(index),
            ": damaged, or not a record of a JPEG image and its tags; `python -m tfrecords_tools "
            f"verify {self.directory}` lists all that is wrong; convert again, or pass "
            'damaged="skip" to leave such records out',
        ]
        message = tf.strings.join(parts)
        return tf.debugging.Assert(tf.reduce_all(decoded), [message])


def keep_only(records: tf.data.Dataset, keep: tf.Tensor | None) -> tf.data.Dataset:
    """Leaves out records.

    Args:
        records: numbers and serialized records.
        keep: boolean (num_records,), which stay; None for all.
    """
    if keep is None:
        return records

    def keep_some(numbers, serialized):
        stays = tf.gather(keep, numbers)
        return tf.boolean_mask(numbers, stays), tf.boolean_mask(serialized, stays)

    # A call for each record, as of `filter`, costs more than copying many for one call.
    return records.batch(KEPT_AT_A_TIME).map(keep_some).unbatch()


def decode_batches(
    shards: Shards,
    records: tf.data.Dataset,
    decode: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]],
    batch_size: int,
    *,
    seed: int = 0,
    first_step: int = 0,
    worker: tuple[int, int] = (0, 1),
    skip_damaged: bool = False,
) -> tf.data.Dataset:
    """Decodes records batch by batch, several batches at a time, in order.

    A batch is decoded by one call. Only where that fails its records are decoded one by one, to
    find the damaged ones: a call for each image costs more than decoding a small one.

    Args:
        shards: the files, for messages.
        records: numbers and serialized records.
        decode: string (n,), records, and float32 (n, NUM_DRAWS), uniform in [0, 1), to tensors
            (n, ...); it fails where a record is damaged.
        batch_size: records a batch; the last may be smaller.
        seed: with a batch's step it decides its random numbers.
        first_step: the step of the first batch.
        worker: index and count of workers; of each batch only this worker's share is decoded.
        skip_damaged: leave damaged records out; else the first one fails, with its place.

    Returns:
        Dataset of int64 (n,), the numbers of the records, and what `decode` made of them.
    """
    index, count = worker
    size = batch_size // count
    share = slice(index * size, (index + 1) * size)

    # Traced once, though three data sets call it.
    @tf.function(
        input_signature=(
            tf.TensorSpec((None,), tf.int64),
            tf.TensorSpec((None,), tf.string),
            tf.TensorSpec((None, NUM_DRAWS), tf.float32),
        ),
        autograph=False,
    )
    def decode_all(numbers, serialized, draws):
        return numbers, *decode(serialized, draws)

    def decode_one_by_one(*batch):
        def alone(position):
            return position, decode_all(*(part[position, None] for part in batch))

        decoded = Dataset.range(tf.size(batch[0], tf.int64)).map(alone).ignore_errors()
        # The empty one, so that a batch of which nothing is left is seen too.
        none = Dataset.from_tensors(tf.zeros((0,), tf.int64))
        whole = decoded.map(lambda position, _: position).batch(size).concatenate(none).take(1)

        def decode_whole(positions):
            rest = [tf.gather(part, positions) for part in batch]
            check = [] if skip_damaged else [shards.check_whole(batch[0], rest[0])]
            with tf.control_dependencies(check):
                return decode_all(*map(tf.identity, rest))

        return whole.map(decode_whole)

    def one_batch(step, batch):
        # Drawn for the whole batch, whatever the worker's share.
        draws = tf.random.stateless_uniform(
            (batch_size, NUM_DRAWS), tf.stack([seed, step]), alg="philox"
        )
        numbers, serialized = (part[share] for part in batch)
        batch = Dataset.from_tensors((numbers, serialized, draws[share][: tf.size(numbers)]))
        decoded = batch.map(decode_all).ignore_errors()
        # What is concatenated is reached only where the first fails.
        return decoded.concatenate(batch.flat_map(decode_one_by_one)).take(1)

    parallel = min(os.cpu_count() or 1, MOST_PARALLEL_BATCHES)
    batches = records.batch(batch_size).enumerate(first_step)
    # Nothing is left to tune, and the thread that tunes makes the end of every use of the data set
    # wait, up to a minute after a long one.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.interleave(
        one_batch, cycle_length=parallel, num_parallel_calls=parallel, deterministic=True
    ).with_options(options)


def _opens(path: bytes) -> np.bool_:
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            file.read(1)
    except tf.errors.OpError:
        return np.bool_(False)
    return np.bool_(True)


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
    except tf.errors.InvalidArgumentError as error:
        match = re.search(r"assertion failed: \[(.*convert again.*)\]", error.message)
        if match is None:
            raise
        # TensorFlow writes a backslash before quotes and backslashes.
        raise InputError(re.sub(r"\\(.)", r"\1", match[1])) from None
