"""One split of a converted data set, read for training, for evaluation, or as plain images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import DatasetInfo, parse
from warptag.data import crops

SHUFFLE_BUFFER = 16_384
# Part of an image's name decides whether it is a validation image, so the choice depends neither
# on the order of the records nor on the number of shards.
HASH_BUCKETS = 10_000


@dataclass(frozen=True)
class Records:
    """The images and labels of one split of a data set.

    Args:
        directory: a folder written by `python -m tfrecords_tools convert`.
        split: name of the split, such as "train".
        part: `"fit"` or `"validation"`: the split less its validation images, or only these;
            None for all. An image's file name decides which it is.
        validation_share: share of validation images, in [0, 1).

    Raises:
        InputError: the folder holds no whole data set, or has no such split.

    Example:
        >>> records = Records("results/scenes/data", "train", part="fit")
        >>> images, labels = next(iter(records.training(crop_size=55, batch_size=32, seed=0)))
    """

    directory: str | os.PathLike[str]
    split: str
    part: Literal["fit", "validation"] | None = None
    validation_share: float = 0.1

    @cached_property
    def info(self) -> DatasetInfo:
        info = DatasetInfo.load(self.directory)
        if self.split not in info.splits:
            raise InputError(
                f"{self.directory} has no split {self.split!r}; it has {', '.join(info.splits)}"
            )
        return info

    @cached_property
    def labels(self) -> np.ndarray:
        """int8 (num_images, num_tags) in the order of the records: 1, 0, or -1 for unknown."""
        rows = [batch.numpy() for batch in self._parsed().map(_labels).batch(1024)]
        if not rows:
            raise InputError(f"{self.directory}: no image in part {self.part!r} of {self.split!r}")
        return np.concatenate(rows).astype(np.int8)

    def __len__(self) -> int:
        return len(self.labels)

    def training(
        self, *, crop_size: int, batch_size: int, seed: int, first_step: int = 0
    ) -> tf.data.Dataset:
        """Endless batches of random crops, in an order and with crops that the seed decides.

        Args:
            crop_size: side of the square crops, pixels.
            batch_size: images a batch.
            seed: an integer; the same seed gives the same batches.
            first_step: number of batches to pass over, to go on where a run stopped.

        Returns:
            Dataset of uint8 (batch, crop, crop, 3) and float32 (batch, num_tags).
        """
        records = self._parsed(shuffle_seed=seed)
        records = records.shuffle(min(len(self), SHUFFLE_BUFFER), seed=seed).repeat()
        records = records.enumerate().skip(first_step * batch_size)

        def crop(index, record):
            image = crops.random_crop(record["encoded"], crop_size, tf.stack([seed, index]))
            return image, record["labels"]

        records = records.map(crop, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return records.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def evaluation(
        self, *, crop_size: int, batch_size: int, patches: str = "center"
    ) -> tf.data.Dataset:
        """Batches of crops in the order of `labels`.

        Args:
            crop_size: side of the square crops, pixels.
            batch_size: images a batch.
            patches: `"center"`, one crop an image, or `"five"`, centre and four corners.

        Returns:
            Dataset of uint8 (batch, patches, crop, crop, 3).
        """
        if patches not in crops.PATCHES:
            raise ValueError(f"patches must be one of {crops.PATCHES}, got {patches!r}")
        records = self._parsed().map(
            lambda record: crops.fixed_crops(record["encoded"], crop_size, patches),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return records.batch(batch_size).prefetch(tf.data.AUTOTUNE)

    def images(self) -> Iterator[np.ndarray]:
        """Every image whole, uint8 (height, width, 3), in the order of `labels`."""
        decoded = self._parsed().map(
            lambda record: crops.whole_image(record["encoded"]),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return decoded.as_numpy_iterator()

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.images()

    def _parsed(self, shuffle_seed: int | None = None) -> tf.data.Dataset:
        paths = [str(Path(self.directory) / s.file) for s in self.info.splits[self.split].shards]
        for path in paths:
            if not os.path.exists(path):
                raise InputError(f"{path} is missing; convert the data set again")
        if shuffle_seed is None:
            records = tf.data.TFRecordDataset(paths)
        else:
            files = tf.data.Dataset.from_tensor_slices(paths)
            files = files.shuffle(len(paths), seed=shuffle_seed, reshuffle_each_iteration=True)
            records = files.interleave(
                tf.data.TFRecordDataset,
                cycle_length=8,
                block_length=4,
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
        num_tags = len(self.info.tag_names)
        parsed = records.map(
            lambda serialized: parse(serialized, num_tags),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return parsed if self.part is None else parsed.filter(self._belongs)

    def _belongs(self, record) -> tf.Tensor:
        bucket = tf.strings.to_hash_bucket_fast(record["filename"], HASH_BUCKETS)
        is_validation = bucket < round(self.validation_share * HASH_BUCKETS)
        return is_validation if self.part == "validation" else tf.logical_not(is_validation)


def _labels(record):
    return record["labels"]
