"""Reading one shard back in full: its bytes, its records, its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import simplejpeg

from tfrecords_tools.duplicates import FINGERPRINT, HASHED_SIDE, fingerprint
from tfrecords_tools.errors import InputError
from tfrecords_tools.reading import read_serialized
from tfrecords_tools.schema import (
    INFO_FILE,
    Record,
    Shard,
    check_tag_ids,
    deserialize_with_tag_names,
)
from tfrecords_tools.shards import file_sha256

MAX_LINES = 20

_NO_IMAGE = bytes(FINGERPRINT.itemsize)


class Lines:
    """Lines of one kind, such as `records`: the first 20, and how many there are in all."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.first: list[str] = []
        self.total = 0

    def add(self, line: str) -> None:
        """Adds one line."""
        self.total += 1
        if len(self.first) < MAX_LINES:
            self.first.append(line)

    def add_each(self, rows: np.ndarray, line: Callable[[int], str]) -> None:
        """Adds a line a row; `line` is called for those only that are among the first 20."""
        self.first += [line(int(row)) for row in rows[: MAX_LINES - len(self.first)]]
        self.total += len(rows)

    def extend(self, other: Lines) -> None:
        """Adds all lines of another."""
        self.total += other.total
        self.first += other.first[: MAX_LINES - len(self.first)]

    def report(self) -> list[str]:
        """The first lines, and one that counts the others if there are any."""
        others = self.total - len(self.first)
        return self.first + ([f"and {others:,} more {self.kind}"] if others else [])


class CheckedShard(NamedTuple):
    """What is in a shard, and what is wrong with it.

    Attributes:
        files: what is wrong with the file.
        records: what is wrong with its records.
        tag_counts: (num_tags,) int64, the images of each tag.
        fingerprints: (num_records,) of dtype `FINGERPRINT`, zero where there is no image.
        complete: whether every record could be read, so that the counts say something.
    """

    files: Lines
    records: Lines
    tag_counts: np.ndarray
    fingerprints: np.ndarray
    complete: bool


def check_shard(folder: Path, shard: Shard, tag_names: Sequence[str]) -> CheckedShard:
    """Reads a shard and says what is wrong with it.

    Args:
        folder: the data set's folder.
        shard: what the data set's description says of the shard.
        tag_names: the names of the data set's tags.
    """
    files = Lines("files")
    records = Lines("records")
    tag_counts: Counter[int] = Counter()
    fingerprints: list[bytes] = []
    complete = _check_file(folder / shard.file, shard, files)
    for index, serialized in enumerate(read_serialized(folder / shard.file) if complete else ()):
        where = f"{shard.file}, record {index}"
        image = _NO_IMAGE
        try:
            if serialized is None:
                raise InputError("damaged or cut off; the rest of the file cannot be read")
            record, names = deserialize_with_tag_names(serialized)
        except InputError as error:
            records.add(f"{where}: {error}")
            complete = False
        else:
            tag_counts.update(record.tag_ids)
            try:
                image = _check_image(record)
            except ValueError as error:
                records.add(f"{where}: {record.filename}: {error}")
            try:
                _check_tags(record, names, tag_names)
            except InputError as error:
                records.add(f"{where}: {error}")
        fingerprints.append(image)
    if complete and len(fingerprints) != shard.num_records:
        files.add(f"{shard.file}: {len(fingerprints)} records, expected {shard.num_records}")
    return CheckedShard(
        files,
        records,
        np.array([tag_counts[tag_id] for tag_id in range(len(tag_names))]),
        np.frombuffer(b"".join(fingerprints), FINGERPRINT),
        complete,
    )


def _check_file(path: Path, shard: Shard, files: Lines) -> bool:
    """Adds to `files` what is wrong with the file; says whether it can be read at all."""
    if not path.is_file():
        files.add(f"{shard.file}: missing")
        return False
    try:
        num_bytes = path.stat().st_size
        if num_bytes != shard.num_bytes:
            files.add(f"{shard.file}: {num_bytes} bytes, expected {shard.num_bytes}")
        elif file_sha256(path) != shard.sha256:
            files.add(f"{shard.file}: the SHA-256 is not the one in {INFO_FILE}")
    except OSError as error:
        files.add(f"{shard.file}: cannot be read: {error.strerror}")
        return False
    return True


def _check_image(record: Record) -> bytes:
    """The fingerprint of a record's image.

    Raises:
        ValueError: it is no whole JPEG image, or not of the size that the record says.
    """
    height, width, colours, _ = simplejpeg.decode_jpeg_header(record.encoded)
    if colours in ("CMYK", "YCCK"):
        raise InputError("its colours are CMYK, expected gray or RGB")
    if (height, width) != (record.height, record.width):
        raise InputError(
            f"{height} x {width} pixels, but the record says {record.height} x {record.width}"
        )
    # At a reduced size libjpeg still reads every coefficient, and finds the same damage as it does
    # at full size; simplejpeg makes an error of its warnings, which Pillow passes over.
    gray = simplejpeg.decode_jpeg(
        record.encoded, "GRAY", min_height=HASHED_SIDE, min_width=HASHED_SIDE, min_factor=1
    )
    return fingerprint(record.encoded, gray[..., 0], height, width)


def _check_tags(record: Record, names: list[str], tag_names: Sequence[str]) -> None:
    check_tag_ids(record, len(tag_names))
    expected = [tag_names[tag_id] for tag_id in record.tag_ids]
    if names != expected:
        raise InputError(
            f"{record.filename}: tag names {names}, but its ids are those of {expected}"
        )
