"""Writing the shards of a split, and taking over the folder that they go into.

A folder is in one of three states: complete (it has `dataset_info.json`), in the making (it has
only that file's temporary form, written first), or not ours. Shards are written under
a temporary name and renamed when they are whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import INFO_FILE, TEMPORARY_SUFFIX, Shard

SHARD_BYTES = 100_000_000
SHARDS_PER_SPLIT = 8
SHARD_PATTERN = "*-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].tfrecord"
REJECTED_FILE = "rejected.csv"


class SplitWriter:
    """Writes serialized records as `train-00000-of-00008.tfrecord` and so on.

    A shard ends at `SHARD_BYTES` or at its share of `SHARDS_PER_SPLIT`, whichever comes first, so
    that small splits too can be read in parallel.

    Args:
        directory: the data set's folder.
        split: the split's name.
        num_records: how many records are expected; fewer may come.

    Example:
        >>> writer = SplitWriter(directory, "train", num_records=len(records))
        >>> for record in records:
        ...     writer.write(serialize(record, tag_names))
        >>> shards = writer.finish()
    """

    def __init__(self, directory: Path, split: str, num_records: int) -> None:
        self._directory = directory
        self._split = split
        self._records_per_shard = max(1, -(-num_records // SHARDS_PER_SPLIT))
        self._shards: list[tuple[Path, int]] = []
        self._writer: Any = None
        self._records = 0
        self._bytes = 0

    def write(self, serialized: bytes) -> None:
        """Appends one record."""
        import tensorflow as tf

        if self._writer is None:
            name = f"{self._split}-{len(self._shards):05d}.tfrecord{TEMPORARY_SUFFIX}"
            self._path = self._directory / name
            self._writer = tf.io.TFRecordWriter(str(self._path))
        with _operating_system_errors(self._path):
            self._writer.write(serialized)
        self._records += 1
        self._bytes += len(serialized)
        if self._records == self._records_per_shard or self._bytes >= SHARD_BYTES:
            self._close_shard()

    def finish(self) -> list[Shard]:
        """Gives the shards their final names and returns their descriptions, in order."""
        if self._writer is not None:
            self._close_shard()
        shards = []
        for index, (path, num_records) in enumerate(self._shards):
            name = f"{self._split}-{index:05d}-of-{len(self._shards):05d}.tfrecord"
            shards.append(Shard(name, num_records, path.stat().st_size, file_sha256(path)))
            os.replace(path, self._directory / name)
        return shards

    def _close_shard(self) -> None:
        with _operating_system_errors(self._path):
            self._writer.close()
        self._shards.append((self._path, self._records))
        self._writer, self._records, self._bytes = None, 0, 0


@contextmanager
def _operating_system_errors(path: Path) -> Iterator[None]:
    """Turns TensorFlow's own errors, as for a full disk, into OSError."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{path} cannot be written: {error.message}") from error


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def claim_folder(directory: Path, overwrite: bool) -> None:
    """Makes a folder ready for a new data set and marks it as in the making.

    What an interrupted conversion left, or with `overwrite` an earlier data set, is removed; other
    files stay.

    Raises:
        InputError: the folder cannot be written, or holds record files of another origin.
    """
    info = directory / INFO_FILE
    unfinished = Path(f"{info}{TEMPORARY_SUFFIX}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not (overwrite or unfinished.exists()) and any(directory.glob("*.tfrecord")):
            raise InputError(
                f"{directory} holds record files but no {INFO_FILE}; "
                "choose another output folder, or --overwrite to replace them"
            )
        unfinished.touch()
        info.unlink(missing_ok=True)
        remove_shards(directory)
    except OSError as error:
        raise InputError(
            f"{directory} cannot be written ({error.strerror}); choose another output folder"
        ) from error


def remove_shards(directory: Path) -> None:
    """Removes shards, whole or begun, and the list of rejected images."""
    for pattern in (SHARD_PATTERN, f"*.tfrecord{TEMPORARY_SUFFIX}", f"{REJECTED_FILE}*"):
        for path in directory.glob(pattern):
            path.unlink()
