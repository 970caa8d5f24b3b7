"""Reading a data set back in full: what is broken, and where."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.duplicates import FINGERPRINT, near_duplicates, same_files
from tfrecords_tools.reading import read_record
from tfrecords_tools.schema import DatasetInfo
from tfrecords_tools.shard_check import CheckedShard, check_shard

MAX_LINES = 20


class Report(NamedTuple):
    """What `verify` found, one line each, with the names of file and record (counted from 0).

    Attributes:
        findings: what is wrong; empty if the data set is whole.
        warnings: images of two splits that look the same, which may be right.
    """

    findings: list[str]
    warnings: list[str]


def verify(directory: str | os.PathLike[str]) -> Report:
    """Checks every file, record, image and count of a data set, and compares its splits.

    All files (size, SHA-256), records (TFRecord's checksums, tag ids and names, numbers) and images
    (all JPEG data, height and width) are read in full. An image that is in two splits is leakage:
    the same file is a finding, a near duplicate a warning (see `duplicates`). At most 20 lines of
    each kind are returned, and the number of the others.

    The memory needed is 24 bytes per record, twice that while the splits are compared: 48 MB per
    million.

    Args:
        directory: the data set's folder.

    Returns:
        The findings, and separately the warnings.

    Raises:
        InputError: the folder holds no data set.
        DamagedDataset: its `dataset_info.json` is damaged.

    Example:
        >>> verify("records").findings
        []
    """
    # Here, since several threads would otherwise import it at once.
    import tensorflow as tf  # noqa: F401

    folder = Path(directory)
    info = DatasetInfo.load(folder)
    shards = [shard for split in info.splits.values() for shard in split.shards]
    with (
        tqdm(
            desc="verify",
            total=sum(split.num_images for split in info.splits.values()),
            unit="image",
            disable=None,  # no bar if standard error is not a terminal
        ) as bar,
        # Reading, checksums and decoding all run outside Python, so threads suffice. There are more
        # of them than cores, since some wait for the interpreter.
        ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as threads,
    ):
        checked: dict[str, CheckedShard] = {}
        for shard, result in zip(
            shards,
            threads.map(lambda shard: check_shard(folder, shard, info.tag_names), shards),
            strict=True,
        ):
            checked[shard.file] = result
            bar.update(shard.num_records)
    by_split = {
        name: [checked[shard.file] for shard in split.shards] for name, split in info.splits.items()
    }
    # A conversion that was killed in its last moment leaves notes, which do no harm.
    foreign = [
        f"{path.name}: not one of the data set's files"
        for path in sorted(folder.glob("*.tfrecord*"))
        if path.name not in checked and path.suffix != ".json"
    ]
    files = foreign + [line for shard in checked.values() for line in shard.files]
    records = [line for shard in checked.values() for line in shard.records]
    counts = _wrong_counts(info, by_split)
    same, similar = _compare_splits(folder, by_split, list(checked))
    return Report(
        _shortened("files", files, len(files))
        + _shortened("records", records, len(records))
        + _shortened("counts", counts, len(counts))
        + same,
        similar,
    )


def _shortened(kind: str, lines: Iterable[str], total: int) -> list[str]:
    """The first lines of a kind, and one that counts the others, if there are any."""
    first = list(islice(lines, MAX_LINES))
    return first + ([f"and {total - len(first):,} more {kind}"] if total > len(first) else [])


def _wrong_counts(info: DatasetInfo, by_split: Mapping[str, Sequence[CheckedShard]]) -> list[str]:
    lines = []
    for name, shards in by_split.items():
        if not all(shard.complete for shard in shards):
            # Records that cannot be read are missing in the counts, and are findings already.
            continue
        split = info.splits[name]
        num_records = sum(len(shard.fingerprints) for shard in shards)
        if num_records != split.num_images:
            lines.append(f"{name}: {num_records} records, expected {split.num_images}")
            continue
        totals = sum((shard.tag_counts for shard in shards), np.zeros(len(info.tag_names), int))
        lines += [
            f"{name}: {count} images with the tag {tag}, expected {expected}"
            for tag, count, expected in zip(info.tag_names, totals, split.tag_counts, strict=True)
            if count != expected
        ]
    return lines


def _compare_splits(
    folder: Path, by_split: Mapping[str, Sequence[CheckedShard]], files: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Compares each split with all before it: the same images, and those that look the same."""
    parts = [shard.fingerprints for shards in by_split.values() for shard in shards]
    images = np.concatenate([np.zeros(0, FINGERPRINT), *parts])
    starts = np.cumsum([0, *map(len, parts)])

    def place(row: int | np.integer) -> str:
        number = int(np.searchsorted(starts, row, "right")) - 1
        file, index = files[number], int(row - starts[number])
        return f"{file}, record {index} ({read_record(folder / file, index).filename})"

    same_as, looks_like = np.full((2, len(images)), -1)
    start = 0
    for shards in by_split.values():
        stop = start + sum(len(shard.fingerprints) for shard in shards)
        same_as[start:stop] = same_files(images[:start], images[start:stop])
        looks_like[start:stop] = near_duplicates(images[:start], images[start:stop])
        start = stop
    looks_like[same_as >= 0] = -1

    def describe(kind: str, verb: str, others: np.ndarray) -> list[str]:
        rows = np.flatnonzero(others >= 0)
        lines = (f"{place(row)}: {verb} {place(others[row])}" for row in rows)
        return _shortened(kind, lines, len(rows))

    return (
        describe("images that are in another split too", "the same image as", same_as),
        describe("images that look like one of another split", "looks like", looks_like),
    )
