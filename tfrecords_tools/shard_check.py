"""Reading one shard back in full: its bytes, its records, its images."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import simplejpeg

from tfrecords_tools.duplicates import FINGERPRINT, HASHED_SIDE, perceptual_hash
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

_NO_IMAGE = bytes(FINGERPRINT.itemsize)


class CheckedShard(NamedTuple):
    """What is in a shard, and what is wrong with it.

    Attributes:
        files: what is wrong with the file, one line each.
        records: what is wrong with its records, one line each.
        tag_counts: (num_tags,) int64, the number of images with each tag.
        fingerprints: (num_records,) of dtype `FINGERPRINT`, zero if there is no image.
        complete: whether every record could be read, so that the counts are meaningful.
    """

    files: list[str]
    records: list[str]
    tag_counts: np.ndarray
    fingerprints: np.ndarray
    complete: bool


def check_shard(folder: Path, shard: Shard, tag_names: Sequence[str]) -> CheckedShard:
    """Reads a shard and says what is wrong with it.

    Args:
        folder: the data set's folder.
        shard: the shard as the data set's description has it.
        tag_names: the names of the data set's tags.
    """
    files: list[str] = []
    records: list[str] = []
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
            records.append(f"{where}: {error}")
            complete = False
        else:
            tag_counts.update(record.tag_ids)
            try:
                image = _check_image(record)
            except ValueError as error:
                records.append(f"{where}: {record.filename}: {error}")
            try:
                _check_tags(record, names, tag_names)
            except InputError as error:
                records.append(f"{where}: {error}")
        fingerprints.append(image)
    if complete and len(fingerprints) != shard.num_records:
        files.append(f"{shard.file}: {len(fingerprints)} records, expected {shard.num_records}")
    return CheckedShard(
        files,
        records,
        np.array([tag_counts[tag_id] for tag_id in range(len(tag_names))]),
        np.frombuffer(b"".join(fingerprints), FINGERPRINT),
        complete,
    )


def _check_file(path: Path, shard: Shard, files: list[str]) -> bool:
    """Adds to `files` what is wrong with the file; returns whether it can be read at all."""
    if not path.is_file():
        files.append(f"{shard.file}: missing")
        return False
    try:
        num_bytes = path.stat().st_size
        if num_bytes != shard.num_bytes:
            files.append(f"{shard.file}: {num_bytes} bytes, expected {shard.num_bytes}")
        elif file_sha256(path) != shard.sha256:
            files.append(f"{shard.file}: its SHA-256 differs from {INFO_FILE}")
    except OSError as error:
        files.append(f"{shard.file}: cannot be read: {error.strerror}")
        return False
    return True


def _check_image(record: Record) -> bytes:
    """The fingerprint of a record's image; ValueError unless it is a whole JPEG of its size."""
    height, width, colors, _ = simplejpeg.decode_jpeg_header(record.encoded)
    if colors in ("CMYK", "YCCK"):
        raise ValueError("its colors are CMYK, expected gray or RGB")
    if (height, width) != (record.height, record.width):
        raise ValueError(
            f"{height} x {width} pixels, but the record says {record.height} x {record.width}"
        )
    # At a reduced size libjpeg still reads every coefficient and finds the same damage as at full
    # size; simplejpeg turns its warnings, which Pillow ignores, into errors.
    gray = simplejpeg.decode_jpeg(
        record.encoded, "GRAY", min_height=HASHED_SIDE, min_width=HASHED_SIDE, min_factor=1
    )
    content = hashlib.sha256(record.encoded).digest()[:8]
    return content + perceptual_hash(gray[..., 0], height, width).tobytes()


def _check_tags(record: Record, names: list[str], tag_names: Sequence[str]) -> None:
    check_tag_ids(record, len(tag_names))
    expected = [tag_names[tag_id] for tag_id in record.tag_ids]
    if names != expected:
        raise InputError(f"{record.filename}: tag names {names}, but its ids stand for {expected}")
