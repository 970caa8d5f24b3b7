"""Reading a data set back in full: what is broken, and where."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import INFO_FILE, DatasetInfo, Record, Shard, check_tag_ids, deserialize
from tfrecords_tools.shards import file_sha256


class _ShardReport(NamedTuple):
    findings: list[str]
    num_records: int
    tag_counts: list[int]


def verify(directory: str | os.PathLike[str]) -> list[str]:
    """Checks every file, record, image and count of a data set.

    Args:
        directory: the data set's folder.

    Returns:
        What is wrong, one line each, naming file and record (counted from 0); empty if nothing.

    Raises:
        InputError: the folder holds no data set, or its `dataset_info.json` is damaged.

    Example:
        >>> verify("records/corel5k")
        []
    """
    folder = Path(directory)
    info = DatasetInfo.load(folder)
    listed = {shard.file for split in info.splits.values() for shard in split.shards}
    findings = [
        f"{path.name}: not one of the data set's files"
        for path in sorted(folder.glob("*.tfrecord*"))
        if path.name not in listed
    ]
    num_tags = len(info.tag_names)
    # Threads suffice: reading, checksums and decoding all run outside Python.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for name, split in info.splits.items():
            tag_counts = [0] * num_tags
            num_records = 0
            for report in threads.map(
                lambda shard: _check_shard(folder / shard.file, shard, num_tags), split.shards
            ):
                findings += report.findings
                num_records += report.num_records
                tag_counts = [
                    sum(counts) for counts in zip(tag_counts, report.tag_counts, strict=True)
                ]
            if num_records != split.num_images:
                findings.append(f"{name}: {num_records} records, expected {split.num_images}")
                continue
            for tag, count, expected in zip(
                info.tag_names, tag_counts, split.tag_counts, strict=True
            ):
                if count != expected:
                    findings.append(f"{name}: {count} images of the tag {tag}, expected {expected}")
    return findings


def _check_shard(path: Path, shard: Shard, num_tags: int) -> _ShardReport:
    tag_counts = [0] * num_tags
    if not path.is_file():
        return _ShardReport([f"{shard.file}: missing"], 0, tag_counts)
    findings = []
    num_bytes = path.stat().st_size
    if num_bytes != shard.num_bytes:
        findings.append(f"{shard.file}: {num_bytes} bytes, expected {shard.num_bytes}")
    elif file_sha256(path) != shard.sha256:
        findings.append(f"{shard.file}: the SHA-256 is not the one in {INFO_FILE}")
    num_records = 0
    for where, record in _read_records(path, findings):
        num_records += 1
        try:
            _check_image(record)
            check_tag_ids(record, num_tags)
        except (InputError, OSError, SyntaxError, ValueError) as error:
            findings.append(f"{where}: {error}")
        for tag_id in record.tag_ids:
            if 0 <= tag_id < num_tags:
                tag_counts[tag_id] += 1
    if num_records != shard.num_records:
        findings.append(f"{shard.file}: {num_records} records, expected {shard.num_records}")
    return _ShardReport(findings, num_records, tag_counts)


def _read_records(path: Path, findings: list[str]) -> Iterator[tuple[str, Record]]:
    """Yields the readable records of a file and where they are; adds to `findings` the others."""
    import tensorflow as tf

    records = iter(tf.data.TFRecordDataset(str(path)))
    index = 0
    while True:
        where = f"{path.name}, record {index}"
        try:
            record = deserialize(next(records).numpy())
        except StopIteration:
            return
        except InputError as error:
            findings.append(f"{where}: {error}")
        except tf.errors.DataLossError:
            # Where the next record begins is lost with this one.
            findings.append(f"{where}: damaged or cut off; the rest of the file is not read")
            return
        else:
            yield where, record
        index += 1


def _check_image(record: Record) -> None:
    with Image.open(io.BytesIO(record.encoded)) as image:
        image.load()
        if (image.height, image.width) != (record.height, record.width):
            raise InputError(
                f"{record.filename} is {image.height} x {image.width} pixels, "
                f"expected {record.height} x {record.width}"
            )
