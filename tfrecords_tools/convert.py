"""Converting a source of images and tags to a data set of TFRecord shards.

Worker processes read and resize the images, and this process writes them in the source's order, so
that the files do not depend on the number of workers or on interruptions.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfrecords_tools import journal
from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset, TooManyRejected
from tfrecords_tools.files import write_whole
from tfrecords_tools.loading import Rejected, Source, load_items
from tfrecords_tools.lock import one_at_a_time
from tfrecords_tools.schema import INFO_FILE, REJECTED_FILE, DatasetInfo, Split
from tfrecords_tools.shards import FinishedShard, file_sha256, plan_shards
from tfrecords_tools.validation import Splits, with_validation

#: Raise it with every change after which the same images and settings give other records.
VERSION = 2
# By default this share of the images may be damaged, or this many if that is more.
DEFAULT_SHARE_REJECTED, DEFAULT_NUM_REJECTED = 0.01, 10

#: The names of the shards that are still to be written, and their images.
Pending = Sequence[tuple[str, Sequence[Any]]]
#: Writes shards of a source into a folder, and yields each that is finished.
WriteShards = Callable[[Source, Path, Pending], Generator[FinishedShard, None, None]]


@one_at_a_time("output")
def convert(
    source: Source,
    output: str | os.PathLike[str],
    *,
    name: str,
    settings: dict[str, Any],
    workers: int | None = None,
    overwrite: bool = False,
    max_rejected: float | None = None,
    validation_share: float | None = None,
    write_shards: WriteShards | None = None,
) -> DatasetInfo:
    """Writes a source's images and tags as TFRecord shards with a `dataset_info.json`.

    The splits are `train`, `validation` and `test`. If the source has no validation images, a share
    of `train` becomes `validation`, chosen by a hash of the images' names.

    Damaged images are left out and listed in `rejected.csv`. An interrupted conversion resumes with
    its first unfinished shard. An existing data set that is complete and made from the same images
    (by name, tags and size) with the same settings is returned as it is.

    Args:
        source: the images and tags.
        output: the folder to write into; it is created if it does not exist.
        name: the data set's name, such as `corel5k`.
        settings: the choices made, such as the image size; JSON values.
        workers: the number of worker processes; with 1 the images are read in this process; None
            for one per processor core.
        overwrite: whether to replace another data set in `output`.
        max_rejected: the share of damaged images, 0 to 1, above which the conversion stops; None
            for a hundredth of the images, or ten of them if that is more.
        validation_share: the share of `train` that becomes `validation`, between 0 and 1; None
            for the source's `validation_share`, or 0.1 if it has no such attribute. Only for
            sources without validation images.
        write_shards: function that writes the shards; None for one that uses `workers`.

    Raises:
        InUse: another process writes to `output`.
        OtherDataset: `output` holds another data set.
        DamagedDataset: a shard of the existing data set is damaged.
        TooManyRejected: too many images are damaged.
        InputError: `output` cannot be written; a split is empty or unreadable; `train` has only
            one image; a tag id is wrong; or the source has validation images and
            `validation_share` is given.
        OSError: writing fails, as on a full disk. Finished shards are kept.

    Example:
        >>> from tfrecords_tools.sources.folder import Folder
        >>> source = Folder("photos", size=64)
        >>> info = convert(source, "new", name="photos", settings=source.settings, workers=1)
        >>> info.tag_names, info.splits["train"].num_images
        (['boat', 'sea', 'tree'], 3)
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, received {workers}")
    if max_rejected is not None and not 0 <= max_rejected <= 1:
        raise ValueError(f"max_rejected must be a share from 0 to 1, received {max_rejected}")
    directory = Path(output)
    planned, splits = _plan(source, name, settings, validation_share)
    if (directory / INFO_FILE).exists() and not overwrite:
        return _reuse(directory, planned)

    plan = plan_shards(splits)
    images = {file: items for shards in plan.values() for file, items in shards.items()}
    finished = journal.begin(directory, planned, images, overwrite)
    pending = [(file, list(items)) for file, items in images.items() if file not in finished]
    num_images = sum(map(len, splits.values()))
    if write_shards is None:
        write_shards = partial(_write_shards, name, num_images, workers or os.cpu_count() or 1)
    _check_rejected(finished.values(), num_images, max_rejected)
    with closing(write_shards(source, directory, pending)) as results:
        for result in results:
            finished[result.shard.file] = result
            _check_rejected(finished.values(), num_images, max_rejected)

    parts = {
        split: _join([finished[file] for file in shards], planned) for split, shards in plan.items()
    }
    for split, part in parts.items():
        if not part.num_images:
            first = finished[part.shards[0].file].rejected[0]
            raise InputError(
                f"none of the {part.num_rejected} images of the split {split!r} can be read; "
                f"the first: {first.reason}"
            )
    _write_rejected(directory, [entry for file in images for entry in finished[file].rejected])
    info = replace(planned, splits=parts)
    info.save(directory)
    journal.remove_notes(directory)
    return info


def _write_shards(
    name: str, num_images: int, workers: int, source: Source, directory: Path, pending: Pending
) -> Generator[FinishedShard, None, None]:
    items = list(chain.from_iterable(items for _, items in pending))
    with (
        closing(load_items(source, items, workers)) as loaded,
        tqdm(
            loaded,
            desc=name,
            total=num_images,
            initial=num_images - len(items),
            unit="image",
            disable=None,  # no bar if standard error is not a terminal
        ) as bar,
    ):
        results = iter(bar)
        for file, part in pending:
            some = islice(results, len(part))
            yield journal.write_and_note(directory, file, some, source.tag_names)


def _plan(
    source: Source, name: str, settings: dict[str, Any], validation_share: float | None
) -> tuple[DatasetInfo, Splits]:
    """The data set to be made, with its splits still empty, and the images of each split."""
    splits, share = with_validation(source, validation_share)
    for split, items in splits.items():
        if not items:
            raise InputError(f"{name}: there are no images for the split {split!r}")
    shares = {} if share is None else {"validation_share": share}
    planned = DatasetInfo(
        name=name,
        source=f"{type(source).__module__}.{type(source).__qualname__}",
        settings=json.loads(json.dumps({**settings, **shares, "converter_version": VERSION})),
        tag_names=list(source.tag_names),
        splits={},
        input_checksum=_input_checksum(source, splits),
    )
    return planned, splits


def _input_checksum(source: Source, splits: Mapping[str, Sequence[Any]]) -> str:
    """Of names, tags and, if the source reads files (has a method `path`), their sizes."""
    path = getattr(source, "path", None)
    digest = hashlib.sha256()
    for split, items in splits.items():
        digest.update(f"{split}\n".encode())
        for item in items:
            size = _file_size(path, item) if path else ""
            digest.update(f"{item!r} {size}\n".encode(errors="backslashreplace"))
    return digest.hexdigest()


def _file_size(path: Any, item: Any) -> int | str:
    try:
        return path(item).stat().st_size
    except (InputError, OSError):  # it will be rejected with its reason
        return "unreadable"


def _reuse(directory: Path, planned: DatasetInfo) -> DatasetInfo:
    """The data set in a folder, if it is whole and the planned one."""
    info = DatasetInfo.load(directory)
    for field, what in (
        ("name", "another name"),
        ("source", "another source"),
        ("settings", "other settings"),
        ("tag_names", "other tags"),
        ("input_checksum", "other images or labels"),
    ):
        existing, wanted = getattr(info, field), getattr(planned, field)
        if existing != wanted:
            detail = f": {existing}, not {wanted}" if field in ("name", "settings") else ""
            raise OtherDataset(
                f"{directory} holds a data set with {what}{detail}", directory, field
            )
    for split in info.splits.values():
        for shard in split.shards:
            path = directory / shard.file
            if not path.is_file() or file_sha256(path) != shard.sha256:
                raise DamagedDataset(
                    f"{path} is missing or damaged (its SHA-256 differs from {INFO_FILE})", path
                )
    # A conversion killed in its last moment leaves them.
    journal.remove_notes(directory)
    return info


def _check_rejected(
    finished: Collection[FinishedShard], num_images: int, max_share: float | None
) -> None:
    """Raises TooManyRejected if more than the allowed share of the images is damaged."""
    rejected = [entry for shard in finished for entry in shard.rejected]
    if max_share is None:
        num_allowed = int(max(DEFAULT_SHARE_REJECTED * num_images, DEFAULT_NUM_REJECTED))
    else:
        num_allowed = int(max_share * num_images)
    if len(rejected) > num_allowed:
        first = "; ".join(entry.reason for entry in rejected[:3])
        raise TooManyRejected(
            f"at least {len(rejected)} of {num_images} images are damaged, and {num_allowed} are "
            f"allowed. The first: {first}",
            len(rejected),
            num_allowed,
        )


def _join(shards: Sequence[FinishedShard], planned: DatasetInfo) -> Split:
    """The description of a split from those of its shards."""
    totals: Counter[int] = Counter()
    for shard in shards:
        totals.update(shard.tag_counts)
    return Split(
        num_images=sum(shard.shard.num_records for shard in shards),
        tag_counts=[totals[tag_id] for tag_id in range(len(planned.tag_names))],
        shards=[shard.shard for shard in shards],
        num_rejected=sum(len(shard.rejected) for shard in shards),
    )


def _write_rejected(directory: Path, rejected: list[Rejected]) -> None:
    """Lists the damaged images in `rejected.csv`, if there are any."""
    if not rejected:
        return
    # A name that is not valid UTF-8 is written with escapes.
    with (
        write_whole(directory / REJECTED_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(Rejected._fields)
        rows.writerows(rejected)
