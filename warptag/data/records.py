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
from tfrecords_tools.schema import INFO_FILE, DatasetInfo, Shard, parse
from warptag.data import crops
from warptag.data.augmentation import Augmentation
from warptag.data.cache import cached_copy
from warptag.data.index import HASH_BUCKETS, Index, build_index
from warptag.data.order import shuffled_epochs
from warptag.data.reading import Shards, decode_batches, input_errors, keep_only

SHUFFLE_BUFFER = 16_384


@dataclass(frozen=True)
class Records:
    """The images and labels of one split of a data set.

    A record is damaged when its bytes, its fields or its image cannot be read. The length, the
    labels and every dataset leave out the same records, in the same order.

    Args:
        directory: a folder written by `python -m tfrecords_tools convert`.
        split: name of the split, such as "train".
        part: `"fit"` or `"validation"`: the split less its validation images, or only these;
            None for all. An image's file name decides which it is.
        validation_share: share of validation images, in [0, 1); above 0, at least one image is.
        damaged: `"error"`: a damaged record is an error that names it; or `"skip"`: such records
            are left out, and are listed in `skipped`. They are found by a pass before the first
            use that decodes every image at an eighth of its size.
        cache: `"memory"`, or a folder: shards are copied there once, checked by their SHA-256.
            The batches are the same.

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
    part: Literal["fit", "validation"] | None = None
    validation_share: float = 0.1
    damaged: Literal["error", "skip"] = "error"
    cache: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        _check_choice("part", self.part, (None, "fit", "validation"))
        _check_choice("damaged", self.damaged, ("error", "skip"))

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
        return self._index.labels(self._kept, len(self.info.tag_names))

    @cached_property
    def tag_ids(self) -> np.ndarray:
        """int32 (num_images, K) in the order of the records: the tags of each, padded with -1.

        K is the largest number of tags of an image of the split.

        Raises:
            InputError: the split has unknown tags, which ids cannot say; the losses would take
                them for negative.
        """
        if len(self._index.unknown_rows):
            raise InputError(
                f"{self.directory}: images of {self.split!r} have unknown tags, which padded ids "
                'would turn into negative ones; use labels="multi_hot"'
            )
        return self._index.padded_ids(self._kept)

    @cached_property
    def skipped(self) -> list[str]:
        """Where each record is that `damaged="skip"` leaves out of the split (of both parts)."""
        if self.damaged == "error":
            return []
        return [self._shards.where(int(number)) for number in np.flatnonzero(~self._index.whole)]

    def __len__(self) -> int:
        return self._shards.num_records if self._keep is None else int(self._keep.sum())

    def training(
        self,
        *,
        crop_size: int,
        batch_size: int,
        seed: int,
        first_step: int = 0,
        labels: Literal["multi_hot", "ids"] = "multi_hot",
        augmentation: Augmentation = Augmentation(),  # noqa: B008
        shuffle_buffer: int = SHUFFLE_BUFFER,
        worker: tuple[int, int] = (0, 1),
    ) -> tf.data.Dataset:
        """Endless batches of random crops, the same for the same seed.

        Order, crops and augmentation follow from the arguments alone, not from the number of
        threads or workers, nor from a global seed. Batches run on across the ends of epochs.

        Args:
            crop_size: side of the square crops, pixels. Of an image that is smaller its largest
                square is enlarged.
            batch_size: images a batch, of all workers together.
            seed: an integer.
            first_step: number of batches to pass over, to go on where a run stopped. At most one
                epoch of records is read for it, and none is decoded.
            labels: `"multi_hot"`, or `"ids"`: as `tag_ids`, for large vocabularies.
            augmentation: what else varies.
            shuffle_buffer: records to draw from; they are in memory, undecoded, and an eighth
                more.
            worker: index, from 0, and number of the workers that share each batch. The shares
                of all workers, joined in order, are the batch of one.

        Returns:
            Dataset of uint8 (batch, crop, crop, 3) and float32 (batch, num_tags), or int32
            (batch, K), where batch is the worker's share.

        Raises:
            InputError: the data set is damaged, as far as it is seen at once, or ids are wanted
                of a split with unknown tags.
            ValueError: the workers cannot share the batch equally.
        """
        _check_choice("labels", labels, ("multi_hot", "ids"))
        index, num_workers = worker
        if not 0 <= index < num_workers or batch_size % num_workers:
            raise ValueError(
                "worker must be (index, count) with index from 0 to count - 1 and count a divisor "
                f"of batch_size, got {worker} and batch_size {batch_size}"
            )
        num_ids = self.tag_ids.shape[1] if labels == "ids" else None
        num_tags = len(self.info.tag_names)
        shards, size = self._shards, batch_size // num_workers

        def decode(serialized, draws):
            batch = parse(serialized, num_tags, num_ids)
            windows = crops.random_windows(
                batch["height"], batch["width"], crop_size, draws[:, :3], augmentation.window_area
            )
            images = crops.decode_windows(
                batch["encoded"], windows, crop_size, draws[:, 3:], augmentation.vary
            )
            return images, batch["tag_ids" if labels == "ids" else "labels"]

        def of_full_size(_, *batch):
            return tuple(tf.ensure_shape(part, (size, *part.shape[1:])) for part in batch)

        records = shuffled_epochs(
            shards,
            self._keep,
            seed=seed,
            shuffle_buffer=shuffle_buffer,
            first_record=first_step * batch_size,
        )
        batches = decode_batches(
            shards, records, decode, batch_size, seed=seed, first_step=first_step, worker=worker
        )
        options = tf.data.Options()
        if num_workers > 1:
            policy = tf.data.experimental.AutoShardPolicy.OFF
            options.experimental_distribute.auto_shard_policy = policy
        return batches.map(of_full_size).prefetch(2).with_options(options)

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
        _check_choice("patches", patches, crops.PATCHES)
        num_tags = len(self.info.tag_names)
        return self._decoded_in_order(
            lambda serialized: crops.fixed_crops(parse(serialized, num_tags), crop_size, patches),
            batch_size,
        )

    def images(self) -> Iterator[np.ndarray]:
        """Every image whole, uint8 (height, width, 3), in the order of `labels`.

        Raises:
            InputError: at a damaged record.
        """
        num_tags = len(self.info.tag_names)
        decoded = self._decoded_in_order(
            lambda serialized: crops.whole_image(parse(serialized, num_tags)["encoded"][0])[None], 1
        )
        with input_errors():
            for batch in decoded.as_numpy_iterator():
                yield batch[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.images()

    def _decoded_in_order(self, decode, batch_size: int) -> tf.data.Dataset:
        shards = self._shards
        keep = None if self._keep is None else tf.constant(self._keep)
        records = keep_only(shards.in_order(), keep)

        batches = decode_batches(
            shards, records, lambda serialized, _: (decode(serialized),), batch_size
        )
        return batches.map(lambda _, images: images).prefetch(2)

    @cached_property
    def _shards(self) -> Shards:
        shards = self.info.splits[self.split].shards
        if not any(shard.num_records for shard in shards):
            raise InputError(f"{self.directory}: no image in {self.split!r}")
        paths = [self._checked(shard) for shard in shards]
        copies = paths
        if self.cache is not None:
            copies = [
                cached_copy(path, shard, self.cache, self.damaged)
                for path, shard in zip(paths, shards, strict=True)
            ]
        return Shards(
            names=tuple(paths),
            paths=tuple(copies),
            lengths=tuple(shard.num_records for shard in shards),
            directory=os.fspath(self.directory),
        )

    def _checked(self, shard: Shard) -> str:
        path = str(Path(self.directory) / shard.file)
        if not os.path.exists(path):
            raise InputError(f"{path} is missing; convert the data set again")
        num_bytes = os.path.getsize(path)
        if num_bytes != shard.num_bytes and self.damaged == "error":
            raise InputError(
                f"{path}: damaged, {num_bytes} bytes instead of the {shard.num_bytes} in "
                f"{INFO_FILE}; `python -m tfrecords_tools verify {self.directory}` lists all that "
                'is wrong; convert again, or pass damaged="skip"'
            )
        return path

    @cached_property
    def _index(self) -> Index:
        return build_index(self._shards, len(self.info.tag_names), self.damaged)

    @cached_property
    def _keep(self) -> np.ndarray | None:
        """boolean (num_records,), the records of this part that are whole; None for all."""
        if self.part is None and self.damaged == "error":
            return None
        keep = self._index.whole
        if self.part is not None:
            most = round(self.validation_share * HASH_BUCKETS)
            is_validation = self._index.buckets < most
            if most and keep.sum() > 1 and not (keep & is_validation).any():
                # Of a few images none may fall below; the nearest is taken.
                is_validation[np.where(keep, self._index.buckets, HASH_BUCKETS).argmin()] = True
            keep = keep & (is_validation if self.part == "validation" else ~is_validation)
        if not keep.any():
            raise InputError(f"{self.directory}: no image in part {self.part!r} of {self.split!r}")
        return keep

    @property
    def _kept(self) -> np.ndarray:
        return self._index.whole if self._keep is None else self._keep


def _check_choice(name: str, value: str | None, choices: tuple) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
