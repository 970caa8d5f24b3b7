"""One split of a data set, for training, for evaluation, or as whole images."""

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
#: The batch size for reading labels.
LABEL_BATCH = 256


@dataclass(frozen=True)
class Records:
    """The images and labels of one split of a data set.

    Args:
        directory: the folder of a data set written by `python -m tfrecords_tools convert`.
        split: the name of the split: "train", "validation" or "test".

    Raises:
        InputError: the folder contains no complete data set, or the split has no images.

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
                f"{self.directory} has images for {', '.join(splits)}, but none for {self.split}; "
                "convert the images again, which writes train, validation and test"
            )
        return info

    def __len__(self) -> int:
        return self.info.splits[self.split].num_images

    @cached_property
    def tag_counts(self) -> np.ndarray:
        """The number of images with each tag, int64 (num_tags,)."""
        return np.array(self.info.splits[self.split].tag_counts, np.int64)

    @cached_property
    def labels(self) -> np.ndarray:
        """The labels in the order of the records, int8 (num_images, num_tags): 1, 0, or -1 for
        unknown."""

        def decode(serialized):
            return tf.cast(self._parse(serialized)["labels"], tf.int8)

        with input_errors():
            return np.concatenate(list(self._in_order(decode, LABEL_BATCH).as_numpy_iterator()))

    @cached_property
    def names(self) -> list[str]:
        """The file name of each image in its source, in the order of the records."""

        def decode(serialized):
            return self._parse(serialized)["filename"]

        with input_errors():
            batches = list(self._in_order(decode, LABEL_BATCH).as_numpy_iterator())
        return [name.decode(errors="replace") for batch in batches for name in batch]

    @cached_property
    def tag_ids(self) -> np.ndarray:
        """The tag ids in the order of the records, int32 (num_images, K), padded with -1.

        K is the largest number of tags of an image in the split.

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
                f"{self.directory}: images of {self.split!r} have unknown tags, which would count "
                'as negative in padded ids; use labels="multi_hot"'
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
        """An endless dataset of batches of random crops and labels.

        Order, crops and flips depend on the arguments alone, not on the number of threads or a
        global seed. An epoch has `len(records) // batch_size` batches. Each has its own order.

        Args:
            crop_size: the side of the square crops in pixels. If an image is smaller, its largest
                square is enlarged.
            batch_size: the number of images per batch, over all replicas.
            seed: an integer.
            first_epoch: the epoch to start with, counted from 0, to resume an earlier run.
            flip: whether to mirror half of the images left to right.
            window_area: the bounds, in (0, 1], of the area of random windows, which are resized to
                the crop size. The area is a share of the largest square of the image, uniformly
                distributed between the bounds. None cuts out crops at their own size.
            labels: `"multi_hot"`, or `"ids"` for padded ids as in `tag_ids`, for large
                vocabularies.

        Returns:
            A dataset of images, uint8 (batch, crop, crop, 3), and labels, float32
            (batch, num_tags), or int32 (batch, K) for ids.

        Raises:
            InputError: a file is missing or has the wrong size, there are fewer images than one
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
        self.check_batch(batch_size)
        num_ids = self.tag_ids.shape[1] if labels == "ids" else None
        key = "labels" if labels == "multi_hot" else "tag_ids"

        def decode(serialized, draws):
            batch = self._parse(serialized, num_ids)
            return crops.random_crops(batch, crop_size, draws, window_area, flip), batch[key]

        batches = shuffled_batches(
            self._shards, batch_size=batch_size, seed=seed, first_epoch=first_epoch
        )
        return decode_batches(self._shards, batches, tf.data.INFINITE_CARDINALITY, decode)

    def check_batch(self, batch_size: int) -> None:
        """Raises InputError if there are fewer images than one batch."""
        if len(self) < batch_size:
            raise InputError(
                f"{self.directory}: the {len(self)} images of {self.split!r} are fewer than one "
                f"batch of {batch_size}; convert more images or choose a smaller batch"
            )

    def evaluation(
        self, *, crop_size: int, batch_size: int, patches: str = "center"
    ) -> tf.data.Dataset:
        """A dataset of batches of crops and labels, in the order of `labels`.

        It can be passed to `model.evaluate` and `model.predict`. With five patches, these treat
        every crop as an image; `warptag.training.predict` averages the scores of an image's crops.

        Args:
            crop_size: the side of the square crops in pixels.
            batch_size: the number of images per batch; the last batch may be smaller.
            patches: `"center"` for one crop per image, or `"five"` for the centre and the four
                corners, one after the other.

        Returns:
            A dataset of images, uint8 (n, crop, crop, 3), and labels, float32 (n, num_tags), where
            n is the batch size, or five times the batch size.

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

    def images(self, rows: Sequence[int] | None = None) -> Iterator[np.ndarray]:
        """Iterates over the whole images, uint8 (height, width, 3), in the order of `labels`.

        Args:
            rows: the rows of the images in `labels`, rising; None for all images.

        Raises:
            InputError: a record is damaged.

        Example:
            >>> [image.shape for image in Records("records", "test").images()]
            [(64, 64, 3), (64, 64, 3)]
        """

        def decode(serialized):
            return crops.whole_image(self._parse(serialized)["encoded"][0])

        with input_errors():
            yield from self._in_order(decode, 1, rows).as_numpy_iterator()

    __iter__ = images

    @cached_property
    def _shards(self) -> Shards:
        return Shards(self.directory, self.info.splits[self.split].shards)

    def _parse(self, serialized: tf.Tensor, num_ids: int | None = None) -> dict[str, tf.Tensor]:
        return parse(serialized, len(self.info.tag_names), num_ids)

    def _in_order(
        self, decode, batch_size: int, rows: Sequence[int] | None = None
    ) -> tf.data.Dataset:
        records, number = self._shards.in_order(), len(self)
        if rows is not None:
            wanted, number = tf.constant(np.isin(np.arange(number), rows)), len(rows)
            numbered = records.enumerate().filter(lambda row, _: tf.gather(wanted, row))
            # Without `take`, all records after the last wanted one would be read too.
            records = numbered.map(lambda _, record: record).take(number)
        batches = records.batch(batch_size)
        return decode_batches(self._shards, batches, -(-number // batch_size), decode)


def check_window_area(window_area: Sequence[float] | None) -> None:
    """Raises ValueError unless the bounds are two shares, 0 < low <= high <= 1, or None."""
    if window_area is not None and not (
        len(window_area) == 2 and 0 < window_area[0] <= window_area[1] <= 1
    ):
        raise ValueError(
            f"window_area must be two shares, 0 < low <= high <= 1, or None, got {window_area}"
        )
