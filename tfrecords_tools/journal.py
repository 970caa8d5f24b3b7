"""What a conversion has finished so far, kept in its output folder so that it resumes after a kill.

A folder is complete (it has `dataset_info.json`), or unfinished (it has `conversion.json`, which
describes the data set being made, and beside each whole shard a file `<shard>.json` that describes
the shard), or not a data set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from tfrecords_tools.errors import InputError, OtherDataset
from tfrecords_tools.files import read_json, remove_partial, write_bytes
from tfrecords_tools.loading import Rejected
from tfrecords_tools.schema import (
    INFO_FILE,
    JOURNAL_FILE,
    REJECTED_FILE,
    DatasetInfo,
    Record,
    Shard,
)
from tfrecords_tools.shards import FinishedShard, file_sha256, write_shard
from tfrecords_tools.typed_json import Count, as_type

SHARD_PATTERN = "*-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].tfrecord"


class _Note(TypedDict):
    """The content of `<shard>.json`."""

    shard: Shard
    tag_counts: list[tuple[Count, Count]]
    rejected: list[Rejected]


def begin(
    directory: Path, planned: DatasetInfo, files: Iterable[str], overwrite: bool
) -> dict[str, FinishedShard]:
    """Prepares the output folder, and says which shards are finished already.

    Whole shards of an interrupted conversion of the same images and settings are kept; those of
    another one, or with `overwrite` a whole data set, are removed. Other files stay.

    Args:
        directory: the output folder; it is created if it does not exist.
        planned: the data set to be made, its splits still empty.
        files: the names of its shards.
        overwrite: whether to replace an existing data set.

    Returns:
        The finished shards by file name.

    Raises:
        OtherDataset: the folder holds record files of another origin.
        InputError: the folder cannot be written.
    """
    path = directory / JOURNAL_FILE
    content = json.dumps(asdict(planned), ensure_ascii=False)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not (overwrite or path.exists()) and any(directory.glob("*.tfrecord")):
            raise OtherDataset(
                f"{directory} holds record files but no {INFO_FILE}", directory, "files"
            )
        finished: dict[str, FinishedShard] = {}
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == content:
            noted = {file: read_note(directory, file) for file in files}
            finished = {file: shard for file, shard in noted.items() if shard is not None}
        write_bytes(path, content.encode())
        (directory / INFO_FILE).unlink(missing_ok=True)
        remove_partial(directory)
        keep = {*finished, *(f"{file}.json" for file in finished)}
        for pattern in (SHARD_PATTERN, f"{SHARD_PATTERN}.json", REJECTED_FILE, "info/*.png"):
            for old in directory.glob(pattern):
                if old.name not in keep:
                    old.unlink()
    except OSError as error:
        raise InputError(
            f"{directory} cannot be written ({error.strerror}); choose another output folder"
        ) from error
    return finished


def write_and_note(
    directory: Path, file: str, results: Iterable[Record | Rejected], tag_names: Sequence[str]
) -> FinishedShard:
    """Writes a shard, and notes that it is finished."""
    finished = write_shard(directory / file, results, tag_names)
    note = {
        "shard": asdict(finished.shard),
        "tag_counts": list(finished.tag_counts.items()),
        "rejected": finished.rejected,
    }
    write_bytes(directory / f"{file}.json", json.dumps(note).encode())
    return finished


def read_note(directory: Path, file: str) -> FinishedShard | None:
    """What was noted about a shard; None if there is no note or the shard is not whole."""
    try:
        note = as_type(read_json(directory / f"{file}.json"), _Note)
        shard = note["shard"]
        is_whole = shard.file == file and file_sha256(directory / file) == shard.sha256
    except (OSError, ValueError):
        return None
    return FinishedShard(shard, dict(note["tag_counts"]), note["rejected"]) if is_whole else None


def remove_notes(directory: Path) -> None:
    """Removes what a conversion needs only until it has finished."""
    for pattern in (f"{SHARD_PATTERN}.json", JOURNAL_FILE):
        for path in directory.glob(pattern):
            path.unlink()
