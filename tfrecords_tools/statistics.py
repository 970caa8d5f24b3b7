"""What the records of a data set hold: image sizes, tags per image, tags that occur together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.reading import RECORDS_AT_ONCE, damaged
from tfrecords_tools.schema import DatasetInfo, parse

MAX_FREQUENT_TAGS = 40


class SplitStatistics(NamedTuple):
    """The images of one split, in order.

    Attributes:
        heights: (num_images,) int32, in pixels.
        widths: (num_images,) int32, in pixels.
        num_tags: (num_images,) int64, the number of tags of each image.
    """

    heights: np.ndarray
    widths: np.ndarray
    num_tags: np.ndarray


class Statistics(NamedTuple):
    """What the records of a data set hold.

    Attributes:
        splits: the images of each split.
        frequent_tags: (k,) int64, the ids of the at most 40 most frequent tags of all splits.
        joint_counts: (k, k) int64, the number of images with both tags.
    """

    splits: dict[str, SplitStatistics]
    frequent_tags: np.ndarray
    joint_counts: np.ndarray


def read_statistics(directory: str | os.PathLike[str]) -> Statistics:
    """Reads all records of a data set once, without decoding the images.

    Args:
        directory: the data set's folder.

    Raises:
        InputError: the folder holds no data set.
        DamagedDataset: a record is damaged or missing.

    Example:
        >>> int(read_statistics("records").splits["train"].num_tags.max())
        2
    """
    import tensorflow as tf

    info = DatasetInfo.load(directory)
    totals = np.sum([split.tag_counts for split in info.splits.values()], axis=0)
    frequent_tags = np.argsort(-totals, kind="stable")[:MAX_FREQUENT_TAGS]
    joint_counts = np.zeros((len(frequent_tags), len(frequent_tags)), np.int64)
    splits = {}
    with tqdm(
        desc="info",
        total=sum(split.num_images for split in info.splits.values()),
        unit="image",
        disable=None,  # no bar if standard error is not a terminal
    ) as bar:
        for name, split in info.splits.items():
            parts = []
            for shard in split.shards:
                path = Path(directory) / shard.file
                try:
                    for serialized in tf.data.TFRecordDataset(os.fsencode(path)).batch(
                        RECORDS_AT_ONCE
                    ):
                        batch = parse(serialized, len(info.tag_names))
                        has_tag = batch["labels"].numpy() == 1
                        frequent = has_tag[:, frequent_tags].astype(np.int64)
                        joint_counts += frequent.T @ frequent
                        sizes = batch["height"].numpy(), batch["width"].numpy()
                        parts.append((*sizes, has_tag.sum(axis=1)))
                        bar.update(len(has_tag))
                except tf.errors.OpError as error:
                    raise damaged(path) from error
            splits[name] = SplitStatistics(
                *(np.concatenate(column) for column in zip(*parts, strict=True))
            )
    return Statistics(splits, frequent_tags, joint_counts)
