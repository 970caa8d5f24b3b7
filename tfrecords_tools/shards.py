"""Which images go into which shard, and writing one: aside first, renamed when it is whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tfrecords_tools.files import write_whole
from tfrecords_tools.loading import Rejected
from tfrecords_tools.schema import Record, Shard, Split, serialize

# Small splits too can be read in parallel; of large ones not much is done twice after a kill.
SHARDS_PER_SPLIT = 8
RECORDS_PER_SHARD = 1024


class PlannedShard(NamedTuple):
    """A shard to be written from the images `start` to `stop` - 1 of its split."""

    split: str
    file: str
    start: int
    stop: int


class FinishedShard(NamedTuple):
    """A shard that was written: its file, the images a tag id, and the images left out."""

    shard: Shard
    tag_counts: dict[int, int]
    rejected: list[Rejected]


def plan_shards(num_images: Mapping[str, int]) -> list[PlannedShard]:
    """Cuts splits into shards of `RECORDS_PER_SHARD` images, or `SHARDS_PER_SPLIT` smaller ones.

    The plan follows from the numbers of images alone, so that shards can be written in any order,
    on any machine.

    Args:
        num_images: the number of images of each split.

    Example:
        >>> [shard.file for shard in plan_shards({"test": 2})]
        ['test-00000-of-00002.tfrecord', 'test-00001-of-00002.tfrecord']
    """
    plan = []
    for split, total in num_images.items():
        size = max(1, min(-(-total // SHARDS_PER_SPLIT), RECORDS_PER_SHARD))
        starts = range(0, total, size)
        plan += [
            PlannedShard(
                split,
                f"{split}-{index:05d}-of-{len(starts):05d}.tfrecord",
                start,
                min(start + size, total),
            )
            for index, start in enumerate(starts)
        ]
    return plan


def write_shard(
    directory: Path, file: str, results: Iterable[Record | Rejected], tag_names: Sequence[str]
) -> FinishedShard:
    """Writes one shard under its final name, or nothing.

    Args:
        directory: the data set's folder.
        file: the shard's name.
        results: its images; the rejected ones are left out and handed back.
        tag_names: the names of the data set's tags.

    Raises:
        InputError: a record has an id that is no tag's.
        OSError: the file cannot be written, as on a full disk.
    """
    path = directory / file
    tag_counts: Counter[int] = Counter()
    rejected: list[Rejected] = []
    num_records = 0
    with write_whole(path) as temporary:
        with _record_writer(temporary, path) as write:
            for result in results:
                if isinstance(result, Rejected):
                    rejected.append(result)
                    continue
                write(serialize(result, tag_names))
                tag_counts.update(result.tag_ids)
                num_records += 1
        shard = Shard(file, num_records, temporary.stat().st_size, file_sha256(temporary))
    return FinishedShard(shard, dict(sorted(tag_counts.items())), rejected)


@contextmanager
def _record_writer(temporary: Path, path: Path) -> Iterator[Any]:
    """Gives a function that appends a record; TensorFlow's own errors become OSError."""
    import tensorflow as tf

    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            yield writer.write
    except tf.errors.OpError as error:
        raise OSError(
            f"{path} cannot be written: {error.message}; free some space, or choose another "
            "output folder, and run the same command again"
        ) from error


def joined_splits(
    num_images: Mapping[str, int], finished: Mapping[str, FinishedShard], num_tags: int
) -> dict[str, Split]:
    """The description of each split from those of its shards, by file name."""
    splits = {}
    plan = plan_shards(num_images)
    for split in num_images:
        shards = [finished[planned.file] for planned in plan if planned.split == split]
        totals: Counter[int] = Counter()
        for shard in shards:
            totals.update(shard.tag_counts)
        splits[split] = Split(
            num_images=sum(shard.shard.num_records for shard in shards),
            tag_counts=[totals[tag_id] for tag_id in range(num_tags)],
            shards=[shard.shard for shard in shards],
            num_rejected=sum(len(shard.rejected) for shard in shards),
        )
    return splits


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
