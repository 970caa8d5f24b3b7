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
from typing import Any

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

    def damage(self, where: Any) -> list[Any]:
        """The parts of the message about a damaged record; they may be tensors."""
        return [
            where,
            ": damaged, or not a record of a JPEG image and its tags; `python -m tfrecords_tools "
            f"verify {self.directory}` lists all that is wrong; convert again, or pass "
            'damaged="skip" to leave such records out',
        ]

    def check_whole(self, numbers: tf.Tensor, decoded_numbers: tf.Tensor) -> tf.Operation:
        """Fails, naming the first, where records of a batch were not decoded; in a graph."""
        decoded = tf.reduce_any(numbers[:, None] == decoded_numbers[None, :], axis=1)
        lost = tf.concat([numbers[~decoded], numbers[:1]], axis=0)[0]
        file = tf.searchsorted(self.stops, lost[None], side="right", out_type=tf.int64)[0]
        index = lost - tf.gather(self.stops, file) + tf.gather(np.asarray(self.lengths), file)
        where = [tf.gather(self.names, file), ", record ", tf.strings.as_string(index)]
        message = tf.strings.join(self.damage(tf.strings.join(where)))
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
    records: tf.data.Dataset,
    decode: Callable[[tf.Tensor, tf.Tensor], Any],
    batch_size: int,
    *,
    seed: int = 0,
    first_step: int = 0,
    worker: tuple[int, int] = (0, 1),
    padding: Any = None,
) -> tf.data.Dataset:
    """Decodes records batch by batch, several batches at a time, in order.

    Args:
        records: numbers and serialized records.
        decode: a record and float32 (NUM_DRAWS,), uniform in [0, 1), to tensors; it fails where a
            record is damaged.
        batch_size: records a batch; the last may be smaller.
        seed: with a batch's step it decides its random numbers.
        first_step: the step of the first batch.
        worker: index and count of workers; of each batch only this worker's share is decoded.
        padding: `padding_values` of `Dataset.padded_batch`, where tensors differ in length.

    Returns:
        Dataset of int64 (batch,), the numbers of the batch; int64 (decoded,), those of them that
        could be decoded; and what `decode` made of these, stacked.
    """
    index, count = worker
    size = batch_size // count

    def one_batch(step, batch):
        # One call a batch, not one an image; of the whole batch, whatever the worker's share.
        draws = tf.random.stateless_uniform(
            (batch_size, NUM_DRAWS), tf.stack([seed, step]), alg="philox"
        )
        numbers, serialized = batch
        images = Dataset.zip((numbers, serialized, Dataset.from_tensor_slices(draws)))
        images = images.skip(index * size).take(size)
        decoded = images.map(lambda number, record, draws: (number, decode(record, draws)))
        decoded = decoded.ignore_errors()
        if padding is None:
            decoded = decoded.batch(size)
        else:
            decoded = decoded.padded_batch(size, padding_values=(None, padding))
        # A batch of which nothing is left must be seen too.
        decoded = decoded.concatenate(Dataset.from_tensors(_nothing(decoded.element_spec)))
        numbers = numbers.skip(index * size).take(size).batch(size)
        return Dataset.zip((numbers, decoded))

    parallel = min(os.cpu_count() or 1, MOST_PARALLEL_BATCHES)
    # A window holds its records as they are; a batch of strings would copy them.
    batches = records.window(batch_size).enumerate(first_step)
    decoded_batches = batches.interleave(
        one_batch, cycle_length=parallel, num_parallel_calls=parallel, deterministic=True
    )
    return decoded_batches.map(lambda numbers, decoded: (numbers, *decoded))


def _nothing(element_spec: Any) -> Any:
    return tf.nest.map_structure(
        lambda spec: tf.zeros([0, *(size or 0 for size in spec.shape[1:])], spec.dtype),
        element_spec,
    )


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
        >>> with input_errors():
        ...     model.fit(records.training(crop_size=220, batch_size=32, seed=0))
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        match = re.search(r"assertion failed: \[(.*convert again.*)\]", error.message)
        if match is None:
            raise
        # TensorFlow writes a backslash before quotes and backslashes.
        raise InputError(re.sub(r"\\(.)", r"\1", match[1])) from None
