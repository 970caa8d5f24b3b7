"""What the records of a data set hold: image sizes, tags an image, tags that occur together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.reading import Labels, read_labels
from tfrecords_tools.schema import DatasetInfo

MAX_FREQUENT_TAGS = 40


class SplitStatistics(NamedTuple):
    """The images of one split, in order.

    Attributes:
        heights: (num_images,) int64, in pixels.
        widths: (num_images,) int64, in pixels.
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
        joint_counts: (k, k) int64, how many images have both tags; on the diagonal, the one.
    """

    splits: dict[str, SplitStatistics]
    frequent_tags: np.ndarray
    joint_counts: np.ndarray


def read_statistics(directory: str | os.PathLike[str], progress: bool = True) -> Statistics:
    """Reads all records of a data set once, without decoding the images.

    Args:
        directory: the data set's folder.
        progress: whether to show a progress bar, if standard error is a terminal.

    Raises:
        InputError: the folder holds no data set, or a record is damaged or missing.

    Example:
        >>> int(read_statistics("records").splits["train"].num_tags.max())
        2
    """
    info = DatasetInfo.load(directory)
    totals = np.sum([split.tag_counts for split in info.splits.values()], axis=0)
    frequent_tags = np.argsort(-totals, kind="stable")[:MAX_FREQUENT_TAGS]
    joint_counts = np.zeros((len(frequent_tags), len(frequent_tags)), np.int64)
    splits = {}
    with tqdm(
        desc="info",
        total=sum(split.num_images for split in info.splits.values()),
        unit="image",
        # None: no bar where standard error is not a terminal.
        disable=None if progress else True,
    ) as bar:
        for name, split in info.splits.items():
            parts = []
            for shard in split.shards:
                for labels in read_labels(Path(directory) / shard.file):
                    joint_counts += _joint_counts(labels, frequent_tags, len(info.tag_names))
                    parts.append(labels[:3])
                    bar.update(len(labels.num_tags))
            splits[name] = SplitStatistics(
                *(np.concatenate(column) for column in zip(*parts, strict=True))
            )
    return Statistics(splits, frequent_tags, joint_counts)


def _joint_counts(labels: Labels, tags: np.ndarray, num_tags: int) -> np.ndarray:
    """How many of the images have two of the tags, for all pairs."""
    has_tag = np.zeros((len(labels.num_tags), num_tags), np.int64)
    # An id that is no tag's is for `verify` to find.
    known = (labels.tag_ids >= 0) & (labels.tag_ids < num_tags)
    images = np.repeat(np.arange(len(labels.num_tags)), labels.num_tags)
    has_tag[images[known], labels.tag_ids[known]] = 1
    chosen = has_tag[:, tags]
    return chosen.T @ chosen
