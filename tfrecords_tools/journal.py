"""What a conversion has done so far, in its output folder, so that it can go on after a kill.

A folder is in one of three states: complete (it has `dataset_info.json`), in the making (it has
`conversion.json`, which says what is being made, and beside each shard that is whole a small file
`<shard>.json` that describes it), or not ours.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import asdict
from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_bytes
from tfrecords_tools.loading import Rejected
from tfrecords_tools.schema import (
    INFO_FILE,
    JOURNAL_FILE,
    REJECTED_FILE,
    DatasetInfo,
    Shard,
)
from tfrecords_tools.shards import FinishedShard, file_sha256

SHARD_PATTERN = "*-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].tfrecord"


def begin(
    directory: Path, planned: DatasetInfo, files: Iterable[str], overwrite: bool = False
) -> dict[str, FinishedShard]:
    """Takes over the output folder, and says which shards are finished already.

    What an interrupted conversion of the same images and settings finished is kept, after a look
    at its checksum; what another one left, or with `overwrite` a whole data set, is removed. Files
    that are not a data set's stay.

    Args:
        directory: the output folder; it is made if need be.
        planned: the data set that is being made, its splits still empty.
        files: the names of its shards.
        overwrite: whether to replace a data set that is there.

    Returns:
        The finished shards by file name.

    Raises:
        InputError: the folder cannot be written, or holds record files of another origin.
    """
    path = directory / JOURNAL_FILE
    content = json.dumps(asdict(planned), ensure_ascii=False)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not (overwrite or path.exists()) and any(directory.glob("*.tfrecord")):
            raise InputError(
                f"{directory} holds record files but no {INFO_FILE}; "
                "choose another output folder, or --overwrite to replace them"
            )
        same = path.exists() and path.read_text(encoding="utf-8", errors="replace") == content
        finished = _finished_shards(directory, files) if same else {}
        write_bytes(path, content.encode())
        (directory / INFO_FILE).unlink(missing_ok=True)
        _remove_files(directory, keep={*finished, *map(_description, finished)})
    except OSError as error:
        raise InputError(
            f"{directory} cannot be written ({error.strerror}); choose another output folder"
        ) from error
    return finished


def note(directory: Path, finished: FinishedShard) -> None:
    """Notes that a shard stands under its final name."""
    content = {
        "shard": asdict(finished.shard),
        "tag_counts": list(finished.tag_counts.items()),
        "rejected": finished.rejected,
    }
    path = directory / _description(finished.shard.file)
    write_bytes(path, json.dumps(content).encode())


def noted(directory: Path, file: str) -> FinishedShard | None:
    """What `note` wrote of a shard; None when there is nothing, or the shard is not whole."""
    try:
        content = json.loads((directory / _description(file)).read_text(encoding="utf-8"))
        finished = FinishedShard(
            Shard(**content["shard"]),
            dict(content["tag_counts"]),
            [Rejected(*entry) for entry in content["rejected"]],
        )
        if file_sha256(directory / file) != finished.shard.sha256:
            return None
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return finished


def finish(directory: Path, info: DatasetInfo) -> None:
    """Writes `dataset_info.json`, which makes the folder a data set, and removes the notes."""
    info.save(directory)
    remove_notes(directory)


def remove_notes(directory: Path) -> None:
    """Removes what a conversion wrote for itself alone."""
    for pattern in (f"{SHARD_PATTERN}.json", JOURNAL_FILE):
        for path in directory.glob(pattern):
            path.unlink()


def _finished_shards(directory: Path, files: Iterable[str]) -> dict[str, FinishedShard]:
    shards = {file: noted(directory, file) for file in files}
    return {file: shard for file, shard in shards.items() if shard is not None}


def _remove_files(directory: Path, keep: Container[str]) -> None:
    remove_partial(directory)
    for pattern in (SHARD_PATTERN, f"{SHARD_PATTERN}.json", REJECTED_FILE, "info/*.png"):
        for path in directory.glob(pattern):
            if path.name not in keep:
                path.unlink()


def _description(file: str) -> str:
    return f"{file}.json"
