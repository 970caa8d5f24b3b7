"""A data set in a few lines of text."""

from __future__ import annotations

import numpy as np

from tfrecords_tools.schema import REJECTED_FILE, DatasetInfo, Split
from tfrecords_tools.statistics import Statistics

TAGS_SHOWN = 5
# Images with this many tags or more are counted together.
MAX_TAGS_COUNTED = 10


def describe(info: DatasetInfo) -> str:
    """Describes a data set: settings, sizes, the most and least frequent tags, checksum.

    Example:
        >>> print(describe(DatasetInfo.load("records")))
        photos (size 64, ...): 3 tags
        train: 3 images, 1.67 tags per image, 0.0 MB in 3 files
          most frequent: boat 2, sea 2, tree 1
        ...
    """
    settings = ", ".join(f"{name} {value}" for name, value in info.settings.items())
    lines = [f"{info.name} ({settings}): {len(info.tag_names)} tags"]
    for name, split in info.splits.items():
        lines += _describe_split(name, split, info.tag_names)
    lines.append(f"checksum: {info.checksum}")
    return "\n".join(lines)


def describe_statistics(statistics: Statistics) -> str:
    """Describes the sizes of the images and their numbers of tags.

    Example:
        >>> from tfrecords_tools.statistics import read_statistics
        >>> print(describe_statistics(read_statistics("records")))
        train, pixels: height 64, width 64
        train, images by number of tags: 1: 1, 2: 2
        validation, pixels: height 64, width 64
        validation, images by number of tags: 1: 1
        test, pixels: height 64, width 64
        test, images by number of tags: 1: 2
    """
    lines = []
    for name, split in statistics.splits.items():
        counts = np.bincount(split.num_tags.clip(max=MAX_TAGS_COUNTED))
        shown = [
            f"{number}{' or more' if number == MAX_TAGS_COUNTED else ''}: {count:,}"
            for number, count in enumerate(counts)
            if count
        ]
        lines += [
            f"{name}, pixels: height {_range(split.heights)}, width {_range(split.widths)}",
            f"{name}, images by number of tags: {', '.join(shown)}",
        ]
    return "\n".join(lines)


def _range(sizes: np.ndarray) -> str:
    if sizes.min() == sizes.max():
        return f"{sizes.min()}"
    return f"{sizes.min()} to {sizes.max()} (median {np.median(sizes):.0f})"


def _describe_split(name: str, split: Split, tag_names: list[str]) -> list[str]:
    megabytes = sum(shard.num_bytes for shard in split.shards) / 1e6
    tags_per_image = sum(split.tag_counts) / max(split.num_images, 1)
    ranked = sorted(
        zip(tag_names, split.tag_counts, strict=True), key=lambda tag: tag[1], reverse=True
    )
    present = [tag for tag in ranked if tag[1] > 0]
    lines = [
        f"{name}: {split.num_images:,} images, {tags_per_image:.2f} tags per image, "
        f"{megabytes:,.1f} MB in {len(split.shards)} files",
        f"  most frequent: {_list(present[:TAGS_SHOWN])}",
        f"  least frequent: {_list(present[-TAGS_SHOWN:])}",
    ]
    if len(present) < len(ranked):
        lines.append(f"  tags without an image: {len(ranked) - len(present)}")
    if split.num_rejected:
        lines.append(f"  damaged images left out: {split.num_rejected}, see {REJECTED_FILE}")
    return lines


def _list(tags: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in tags)
