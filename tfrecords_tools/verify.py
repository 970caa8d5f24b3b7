"""Reading a data set back in full: what is broken, and where."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.duplicates import FINGERPRINT, near_duplicates, same_files
from tfrecords_tools.reading import read_record
from tfrecords_tools.schema import DatasetInfo, Split
from tfrecords_tools.shard_check import CheckedShard, Lines, check_shard


class Report(NamedTuple):
    """What `verify` found, one line each, naming file and record (counted from 0).

    Attributes:
        findings: what is wrong; empty if the data set is whole.
        warnings: images of two splits that look the same, which may be right.
    """

    findings: list[str]
    warnings: list[str]


def verify(directory: str | os.PathLike[str], progress: bool = True) -> Report:
    """Checks every file, record, image and count of a data set, and compares its splits.

    Read in full are the files (size, SHA-256), the records (TFRecord's checksums, tag ids and
    names, numbers) and the images (all JPEG data, height and width). An image that is in two splits
    is leakage: the same file is a finding, a near duplicate a warning (`duplicates` says what that
    is). Of each kind at most 20 lines are given, and the number of the others.

    In memory are 24 bytes a record, twice that while the splits are compared: 48 MB a million.

    Args:
        directory: the data set's folder.
        progress: whether to show a progress bar, if standard error is a terminal.

    Returns:
        The findings, and apart from them the warnings.

    Raises:
        InputError: the folder holds no data set, or its `dataset_info.json` is damaged.

    Example:
        >>> verify("records").findings
        []
    """
    # Here, since several threads would otherwise import it at once.
    import tensorflow as tf  # noqa: F401

    folder = Path(directory)
    info = DatasetInfo.load(folder)
    files, records, counts = Lines("files"), Lines("records"), Lines("counts")
    shards = [shard for split in info.splits.values() for shard in split.shards]
    listed = {shard.file for shard in shards}
    for path in sorted(folder.glob("*.tfrecord*")):
        # A kill in a conversion's last moment leaves its notes, which do no harm.
        if path.name not in listed and path.suffix != ".json":
            files.add(f"{path.name}: not one of the data set's files")

    checked: dict[str, list[CheckedShard]] = {}
    with (
        tqdm(
            desc="verify",
            total=sum(split.num_images for split in info.splits.values()),
            unit="image",
            # None: no bar where standard error is not a terminal.
            disable=None if progress else True,
        ) as bar,
        # Threads suffice: reading, checksums and decoding all run outside Python. More than there
        # are cores, since some wait for the interpreter.
        ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as threads,
    ):
        results = threads.map(lambda shard: check_shard(folder, shard, info.tag_names), shards)
        for name, split in info.splits.items():
            checked[name] = []
            for shard in split.shards:
                result = next(results)
                checked[name].append(result)
                files.extend(result.files)
                records.extend(result.records)
                bar.update(shard.num_records)
            _check_counts(name, split, checked[name], info.tag_names, counts)

    same, similar = _compare_splits(folder, info, checked)
    findings = [line for lines in (files, records, counts, same) for line in lines.report()]
    return Report(findings, similar.report())


def _check_counts(
    name: str,
    split: Split,
    checked: Sequence[CheckedShard],
    tag_names: Sequence[str],
    counts: Lines,
) -> None:
    if not all(shard.complete for shard in checked):
        # The counts are off by the records that could not be read, which are findings already.
        return
    num_records = sum(len(shard.fingerprints) for shard in checked)
    if num_records != split.num_images:
        counts.add(f"{name}: {num_records} records, expected {split.num_images}")
        return
    tag_counts = sum((shard.tag_counts for shard in checked), np.zeros(len(tag_names), np.int64))
    for tag, count, expected in zip(tag_names, tag_counts, split.tag_counts, strict=True):
        if count != expected:
            counts.add(f"{name}: {count} images of the tag {tag}, expected {expected}")


def _compare_splits(
    folder: Path, info: DatasetInfo, checked: Mapping[str, Sequence[CheckedShard]]
) -> tuple[Lines, Lines]:
    """Compares each split with all before it: the same images, and those that look the same."""
    same = Lines("images that are in another split too")
    similar = Lines("images that look like one of another split")
    files = [shard.file for split in info.splits.values() for shard in split.shards]
    parts = [shard.fingerprints for shards in checked.values() for shard in shards]
    images = np.concatenate([np.zeros(0, FINGERPRINT), *parts])
    starts = np.cumsum([0, *map(len, parts)])

    def place(row: int) -> str:
        number = int(np.searchsorted(starts, row, "right")) - 1
        file, index = files[number], row - int(starts[number])
        return f"{file}, record {index} ({read_record(folder / file, index).filename})"

    same_as, looks_like = np.full((2, len(images)), -1)
    start = 0
    for shards in checked.values():
        stop = start + sum(len(shard.fingerprints) for shard in shards)
        same_as[start:stop] = same_files(images[:start], images[start:stop])
        looks_like[start:stop] = near_duplicates(images[:start], images[start:stop])
        start = stop
    looks_like[same_as >= 0] = -1

    same.add_each(
        np.flatnonzero(same_as >= 0),
        lambda row: f"{place(row)}: the same image as {place(same_as[row])}",
    )
    similar.add_each(
        np.flatnonzero(looks_like >= 0),
        lambda row: f"{place(row)}: looks like {place(looks_like[row])}",
    )
    return same, similar
