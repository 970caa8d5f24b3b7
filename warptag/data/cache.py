"""Copies of shards in memory or in a fast folder, so that a slow drive is read once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import INFO_FILE, TEMPORARY_SUFFIX, Shard

MEMORY = "memory"
# TensorFlow's file system in memory: cached and uncached records are read by the same code.
MEMORY_FOLDER = "ram://warptag"
BLOCK_BYTES = 1 << 24


def cached_copy(path: str, shard: Shard, cache: str | os.PathLike[str], damaged: str) -> str:
    """The path of a shard's copy, made on first use.

    A copy is named by the shard's SHA-256, so that data sets may share a folder. It is checked
    against `dataset_info.json` while it is made and renamed when it is whole.

    Args:
        path: the shard.
        shard: its description.
        cache: a folder, or `"memory"`: until the process ends.
        damaged: `"error"`, or `"skip"`: a shard that is not as described is read where it is.

    Raises:
        InputError: the shard is not as described, or the folder cannot be written.
    """
    in_memory = cache == MEMORY
    folder = MEMORY_FOLDER if in_memory else os.fspath(cache)
    copy = f"{folder}/{shard.sha256}.tfrecord"
    if tf.io.gfile.exists(copy) and tf.io.gfile.stat(copy).length == shard.num_bytes:
        return copy
    temporary = f"{copy}.{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        tf.io.gfile.makedirs(folder)
        digest = _copy(path, temporary, shard.num_bytes if in_memory else BLOCK_BYTES)
        if digest == shard.sha256:
            tf.io.gfile.rename(temporary, copy, overwrite=True)
            return copy
    except (OSError, tf.errors.OpError) as error:
        raise InputError(
            f"{path} cannot be copied to {cache}: {error}; free some space or choose another cache"
        ) from error
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.remove(temporary)
    if damaged == "skip":
        return path
    raise InputError(
        f"{path}: the SHA-256 is not the one in {INFO_FILE}; convert again, or pass "
        'damaged="skip" to leave damaged records out'
    )


def _copy(path: str, copy: str, block_bytes: int) -> str:
    """Copies a file and returns its SHA-256, hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as source, tf.io.gfile.GFile(copy, "wb") as target:
        while block := source.read(max(block_bytes, 1)):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()
