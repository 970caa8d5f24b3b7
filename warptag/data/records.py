"""One split of a converted data set, read for training, for evaluation, or as plain images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import DatasetInfo, parse
from warptag.data import crops
from warptag.data.order import shuffled_batches
from warptag.data.reading import Shards, decode_batches, input_errors

LABELS = ("multi_hot", "ids")
#: Records whose labels are read at a time.
LABEL_BATCH = 256


@dataclass(frozen=True)
class Records:
    """The images and labels of one split of a data set.

    Args:
        directory: a folder written by `python -m tfrecords_tools convert`.
        split: name of the split: "train", "validation" or "test".

    Raises:
        InputError: the folder holds no whole data set, or has no such split.

    Example:
        >>> records = Records("records", "train")
        >>> images, labels = next(iter(records.training(crop_size=56, batch_size=2, seed=0)))
        >>> images.shape, labels.shape
        (TensorShape([2, 56, 56, 3]), TensorShape([2, 3]))
    """

    directory: str | os.PathLike[str]
    split: str

    @cached_property
    def info(self) -> DatasetInfo:
        """The description of the whole data set."""
        info = DatasetInfo.load(self.directory)
        splits = [name for name, split in info.splits.items() if split.num_images]
        if self.split not in splits:
            raise InputError(
                f"{self.directory} has images for {', '.join(splits)}, none for {self.split}; if "
                "an earlier version of tfrecords_tools wrote it, convert the images again"
            )
        return info

    def __len__(self) -> int:
        return self.info.splits[self.split].num_images

    @cached_property
    def tag_counts(self) -> np.ndarray:
        """int64 (num_tags,), the number of images that have each tag."""
        return np.array(self.info.splits[self.split].tag_counts, np.int64)

    @cached_property
    def labels(self) -> np.ndarray:
        """int8 (num_images, num_tags) in the order of the records: 1, 0, or -1 for unknown."""

        def decode(serialized):
            return tf.cast(self._parse(serialized)["labels"], tf.int8)

        with input_errors():
            return np.concatenate(list(self._in_order(decode, LABEL_BATCH).as_numpy_iterator()))

    @cached_property
    def tag_ids(self) -> np.ndarray:
        """int32 (num_images, K) in the order of the records: the tags of each, padded with -1.

        K is the largest number of tags of an image of the split.

        Raises:
            InputError: the split has unknown tags, which ids cannot express.
        """

        def decode(serialized):
            batch = self._parse(serialized)
            return batch["tag_ids"], batch["unknown_ids"]

        with input_errors():
            batches = list(self._in_order(decode, LABEL_BATCH).as_numpy_iterator())
        if any(unknown_ids.size for _, unknown_ids in batches):
            raise InputError(
                f"{self.directory}: images of {self.split!r} have unknown tags, which the losses "
                'would take for negative in padded ids; use labels="multi_hot"'
            )
        rows = [row for tag_ids, _ in batches for row in tag_ids]
        return keras.utils.pad_sequences(rows, padding="post", value=-1)

    def training(
        self,
        *,
        crop_size: int,
        batch_size: int,
        seed: int,
        first_epoch: int = 0,
        flip: bool = False,
        window_area: Sequence[float] | None = None,
        labels: str = "multi_hot",
    ) -> tf.data.Dataset:
        """Endless batches of random crops, the same for the same seed.

        Order, crops and flips follow from the arguments alone, not from the number of threads or
        a global seed. An epoch is `len(records) // batch_size` batches, in an order of its own.

        Args:
            crop_size: side of the square crops, pixels. Of a smaller image, the largest square is
                enlarged.
            batch_size: images per batch, of all replicas together.
            seed: an integer.
            first_epoch: the epoch to begin with, counted from 0, to resume where a run stopped.
            flip: whether to mirror half of the images left to right.
            window_area: bounds, in (0, 1], of the area of the window that is cut out and resized
                to the crop, as a share of the largest square of the image, uniform between them.
                None cuts out the crop at its own size.
            labels: `"multi_hot"`, or `"ids"`: as `tag_ids`, for large vocabularies.

        Returns:
            Dataset of uint8 (batch, crop, crop, 3) and float32 (batch, num_tags), or int32
            (batch, K).

        Raises:
            InputError: a file is missing or has a wrong size, the images are fewer than one
                batch, or `labels` is "ids" and the split has unknown tags.
            ValueError: an argument is out of range.

        Example:
            >>> records = Records("records", "train")
            >>> batches = records.training(crop_size=56, batch_size=2, seed=0, flip=True)
            >>> steps_per_epoch = len(records) // 2  # for `model.fit`
        """
        if labels not in LABELS:
            raise ValueError(f"labels must be one of {LABELS}, got {labels!r}")
        check_window_area(window_area)
        if len(self) < batch_size:
            raise InputError(
                f"{self.directory}: the {len(self)} images of {self.split!r} are fewer than one "
                f"batch of {batch_size}; convert more images or choose a smaller batch"
            )
        num_ids = self.tag_ids.shape[1] if labels == "ids" else None
        key = "labels" if labels == "multi_hot" else "tag_ids"

        def decode(serialized, draws):
            batch = self._parse(serialized, num_ids)
            return crops.random_crops(batch, crop_size, draws, window_area, flip), batch[key]

        batches = shuffled_batches(
            self._shards, batch_size=batch_size, seed=seed, first_epoch=first_epoch
        )
        return decode_batches(self._shards, batches, tf.data.INFINITE_CARDINALITY, decode)

    def evaluation(
        self, *, crop_size: int, batch_size: int, patches: str = "center"
    ) -> tf.data.Dataset:
        """Batches of crops and labels in the order of `labels`, once.

        `model.evaluate` and `model.predict` take it as it is. With five patches every crop counts
        as an image there; `warptag.training.predict` averages the scores of an image's crops.

        Args:
            crop_size: side of the square crops, pixels.
            batch_size: images per batch; the last batch may be smaller.
            patches: `"center"`, one crop per image, or `"five"`: the centre and the four corners,
                one after the other.

        Returns:
            Dataset of uint8 (batch or 5 * batch, crop, crop, 3) and float32 (the same, num_tags).

        Example:
            >>> records = Records("records", "test")
            >>> images, labels = next(iter(records.evaluation(crop_size=56, batch_size=2)))
            >>> images.shape, labels.shape
            (TensorShape([2, 56, 56, 3]), TensorShape([2, 3]))
        """
        if patches not in crops.PATCHES:
            raise ValueError(f"patches must be one of {crops.PATCHES}, got {patches!r}")

        def decode(serialized):
            batch = self._parse(serialized)
            images = crops.fixed_crops(batch, crop_size, patches)
            labels = tf.repeat(batch["labels"], images.shape[1], axis=0)
            return tf.reshape(images, (-1, *images.shape[2:])), labels

        return self._in_order(decode, batch_size)

    def images(self) -> Iterator[np.ndarray]:
        """Every image whole, uint8 (height, width, 3), in the order of `labels`.

        Raises:
            InputError: a record is damaged.

        Example:
            >>> [image.shape for image in Records("records", "test").images()]
            [(64, 64, 3), (64, 64, 3)]
        """

        def decode(serialized):
            return crops.whole_image(self._parse(serialized)["encoded"][0])

        with input_errors():
            yield from self._in_order(decode, 1).as_numpy_iterator()

    __iter__ = images

    @cached_property
    def _shards(self) -> Shards:
        return Shards(self.directory, self.info.splits[self.split].shards)

    def _parse(self, serialized: tf.Tensor, num_ids: int | None = None) -> dict[str, tf.Tensor]:
        return parse(serialized, len(self.info.tag_names), num_ids)

    def _in_order(self, decode, batch_size: int) -> tf.data.Dataset:
        batches = self._shards.in_order().batch(batch_size)
        return decode_batches(self._shards, batches, -(-len(self) // batch_size), decode)


def check_window_area(window_area: Sequence[float] | None) -> None:
    """Raises ValueError unless the bounds are two shares, 0 < low <= high <= 1, or None."""
    if window_area is not None and not (
        len(window_area) == 2 and 0 < window_area[0] <= window_area[1] <= 1
    ):
        raise ValueError(
            f"window_area must be two shares, 0 < low <= high <= 1, or None, got {window_area}"
        )
