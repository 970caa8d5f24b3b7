"""Which images go into which shard, and writing one shard, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tfrecords_tools.files import write_whole
from tfrecords_tools.loading import Rejected
from tfrecords_tools.schema import Record, Shard, serialize

# Small splits can be read in parallel too; of large ones little is repeated after a kill.
SHARDS_PER_SPLIT = 8
RECORDS_PER_SHARD = 1024


class FinishedShard(NamedTuple):
    """A written shard: its file, the number of images with each tag id, the images left out."""

    shard: Shard
    tag_counts: dict[int, int]
    rejected: list[Rejected]


def plan_shards(splits: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Sequence[Any]]]:
    """Cuts splits into shards of `RECORDS_PER_SHARD` images, or `SHARDS_PER_SPLIT` smaller ones.

    The plan depends only on the images, so that shards can be written in any order, on any machine.

    Args:
        splits: the images of each split.

    Returns:
        For each split the images of each shard, by file name.

    Example:
        >>> plan_shards({"test": ["a", "b"]})["test"]
        {'test-00000-of-00002.tfrecord': ['a'], 'test-00001-of-00002.tfrecord': ['b']}
    """
    plan = {}
    for split, items in splits.items():
        size = max(1, min(-(-len(items) // SHARDS_PER_SPLIT), RECORDS_PER_SHARD))
        starts = range(0, len(items), size)
        plan[split] = {
            f"{split}-{index:05d}-of-{len(starts):05d}.tfrecord": items[start : start + size]
            for index, start in enumerate(starts)
        }
    return plan


def write_shard(
    path: Path, results: Iterable[Record | Rejected], tag_names: Sequence[str]
) -> FinishedShard:
    """Writes one shard, whole or not at all.

    Args:
        path: the file to write.
        results: its images; the rejected ones are left out and returned.
        tag_names: the names of the data set's tags.

    Raises:
        InputError: a record has an invalid tag id.
        OSError: the file cannot be written, as on a full disk.
    """
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
        shard = Shard(path.name, num_records, temporary.stat().st_size, file_sha256(temporary))
    return FinishedShard(shard, dict(sorted(tag_counts.items())), rejected)


@contextmanager
def _record_writer(temporary: Path, path: Path) -> Iterator[Any]:
    """Gives a function that appends a record; TensorFlow's own errors become OSError."""
    import tensorflow as tf

    try:
        with tf.io.TFRecordWriter(os.fsencode(temporary)) as writer:
            yield writer.write
    except tf.errors.OpError as error:
        raise OSError(
            f"{path} cannot be written: {error.message}; free some space and run the same command "
            "again, or choose another output folder"
        ) from error


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
