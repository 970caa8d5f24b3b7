"""Converting a source of images and tags to a data set of TFRecord shards.

Images are read and resized in worker processes and written by this one, in the source's order, so
that the files are the same whatever the number of workers, and however often it was interrupted.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfrecords_tools import journal
from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole
from tfrecords_tools.loading import Loader, Rejected, Source
from tfrecords_tools.schema import (
    INFO_FILE,
    REJECTED_FILE,
    DatasetInfo,
    Record,
)
from tfrecords_tools.shards import (
    FinishedShard,
    file_sha256,
    joined_splits,
    plan_shards,
    write_shard,
)
from tfrecords_tools.validation import Splits, with_validation

#: Raise it with every change after which the same images and settings give other records.
VERSION = 2
# Without --max-rejected: this share of the images, or this many if that is more.
USUAL_SHARE_REJECTED, USUAL_NUM_REJECTED = 0.01, 10


def convert(
    source: Source,
    output: str | os.PathLike[str],
    *,
    name: str,
    settings: dict[str, Any],
    workers: int | None = None,
    progress: bool = True,
    overwrite: bool = False,
    max_rejected: float | None = None,
    validation_share: float | None = None,
) -> DatasetInfo:
    """Writes a source's images and tags as TFRecord shards with a `dataset_info.json`.

    The splits are `train`, `validation` and `test`. Where the source has no validation images, a
    share of `train` becomes `validation`, chosen by a hash of the images' names, whatever their
    order.

    Damaged images are left out and listed in `rejected.csv`. A conversion that was stopped resumes
    with its first unfinished shard. A data set that is already there, complete and made from the
    same images (by name, tags and size) with the same settings, is returned as it is.

    Args:
        source: the images and tags.
        output: the folder to write into; it is made if need be.
        name: the data set's name, such as `corel5k`.
        settings: what was chosen, such as the image size; JSON values.
        workers: number of worker processes; 1 for none, None for one a processor core.
        progress: whether to show a progress bar, if standard error is a terminal.
        overwrite: whether to replace another data set in `output`.
        max_rejected: the share of damaged images, 0 to 1, above which the conversion stops; None
            for a hundredth of the images, or ten of them if that is more.
        validation_share: the share of `train` that becomes `validation`, between 0 and 1; None
            for the source's `validation_share`, or 0.1 if it has no such attribute. Only for
            sources without validation images.

    Raises:
        InputError: the source has too many damaged images, or wrong tag ids, or an empty split, or
            one training image only; or it has validation images and `validation_share` is given;
            `output` cannot be written or holds another data set.
        OSError: writing fails on the way, as on a full disk. What was finished is kept.

    Example:
        >>> from tfrecords_tools.sources.folder import Folder
        >>> source = Folder("photos", size=64)
        >>> info = convert(source, "new", name="photos", settings=source.settings, workers=1)
        >>> info.tag_names, info.splits["train"].num_images
        (['boat', 'sea', 'tree'], 3)
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, received {workers}")
    directory = Path(output)
    planned, splits = plan_dataset(source, name, settings, validation_share)
    if (directory / INFO_FILE).exists() and not overwrite:
        return reuse(directory, planned)

    num_images = {split: len(items) for split, items in splits.items()}
    plan = plan_shards(num_images)
    limit = RejectionLimit(sum(num_images.values()), max_rejected)
    finished = journal.begin(directory, planned, [shard.file for shard in plan], overwrite)
    for shard in finished.values():
        limit.count(shard.rejected)
    pending = [shard for shard in plan if shard.file not in finished]
    items = [item for shard in pending for item in splits[shard.split][shard.start : shard.stop]]
    with (
        Loader(source, workers or os.cpu_count() or 1) as loader,
        tqdm(
            loader.load(items),
            desc=name,
            total=sum(num_images.values()),
            initial=sum(num_images.values()) - len(items),
            unit="image",
            # None: no bar where standard error is not a terminal.
            disable=None if progress else True,
        ) as bar,
    ):
        results = iter(bar)
        for planned_shard in pending:
            part = islice(results, planned_shard.stop - planned_shard.start)
            written = write_shard(
                directory, planned_shard.file, limit.watch(part), source.tag_names
            )
            journal.note(directory, written)
            finished[planned_shard.file] = written
    return finish(directory, planned, num_images, finished)


def plan_dataset(
    source: Source, name: str, settings: dict[str, Any], validation_share: float | None
) -> tuple[DatasetInfo, Splits]:
    """The data set that a source is to become, with its splits still empty, and their images.

    Raises:
        InputError: a split has no images, or `train` has one only; or a share is given for a
            source with validation images.
    """
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


class RejectionLimit:
    """Counts damaged images; raises InputError when they become too many.

    Args:
        num_images: how many images there are in all.
        max_share: the share that may be damaged, 0 to 1; None for the usual limit.
    """

    def __init__(self, num_images: int, max_share: float | None) -> None:
        if max_share is not None and not 0 <= max_share <= 1:
            raise ValueError(f"max_rejected must be a share from 0 to 1, received {max_share}")
        self._num_images = num_images
        self._max_rejected = (
            max(USUAL_SHARE_REJECTED * num_images, USUAL_NUM_REJECTED)
            if max_share is None
            else max_share * num_images
        )
        self._num_rejected = 0
        self._first: list[str] = []

    def watch(self, results: Iterable[Record | Rejected]) -> Iterator[Record | Rejected]:
        """Passes results on and counts the rejected ones."""
        for result in results:
            if isinstance(result, Rejected):
                self.count([result])
            yield result

    def count(self, rejected: list[Rejected]) -> None:
        """Adds damaged images."""
        self._num_rejected += len(rejected)
        self._first += [entry.reason for entry in rejected[: 3 - len(self._first)]]
        if self._num_rejected > self._max_rejected:
            raise InputError(
                f"{self._num_rejected} or more of {self._num_images} images are damaged, "
                f"{int(self._max_rejected)} are allowed; mend them, or allow a larger share "
                f"(--max-rejected). The first: {'; '.join(self._first)}"
            )


def finish(
    directory: Path,
    planned: DatasetInfo,
    num_images: Mapping[str, int],
    finished: Mapping[str, FinishedShard],
) -> DatasetInfo:
    """Writes `rejected.csv` and, last, `dataset_info.json`.

    Args:
        directory: the output folder, with all shards.
        planned: the data set, its splits still empty.
        num_images: the number of images of each split.
        finished: the shards by file name.

    Raises:
        InputError: every image of a split was rejected.
    """
    splits = joined_splits(num_images, finished, len(planned.tag_names))
    for name, split in splits.items():
        if not split.num_images:
            first = finished[split.shards[0].file].rejected[0]
            raise InputError(
                f"none of the {split.num_rejected} images of the split {name!r} can be read; "
                f"the first: {first.reason}"
            )
    rejected = [
        entry
        for split in splits.values()
        for shard in split.shards
        for entry in finished[shard.file].rejected
    ]
    _write_rejected(directory, rejected)
    info = replace(planned, splits=splits)
    journal.finish(directory, info)
    return info


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


def _input_checksum(source: Source, splits: Mapping[str, Sequence[Any]]) -> str:
    """Of names, tags and, where the source reads files (`path`), their sizes."""
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


def reuse(directory: Path, planned: DatasetInfo) -> DatasetInfo:
    """The data set that is already in a folder, if it is whole and the one that is planned.

    Raises:
        InputError: it is another one, or damaged.
    """
    info = DatasetInfo.load(directory)
    same_source = (info.name, info.source) == (planned.name, planned.source)
    if same_source and info.settings.get("converter_version", 1) in range(1, VERSION):
        raise InputError(
            f"{directory} was made by an earlier version of tfrecords_tools; "
            "convert again with --overwrite"
        )
    for field, what in (
        ("name", "name"),
        ("source", "source"),
        ("settings", "settings"),
        ("tag_names", "tags"),
        ("input_checksum", "images or labels"),
    ):
        there, wanted = getattr(info, field), getattr(planned, field)
        if there != wanted:
            detail = f": {there}, not {wanted}" if field in ("name", "settings") else ""
            raise InputError(
                f"{directory} holds a data set of other {what}{detail}; "
                "choose another output folder, or --overwrite to replace it"
            )
    for split in info.splits.values():
        for shard in split.shards:
            path = directory / shard.file
            if not path.is_file() or file_sha256(path) != shard.sha256:
                raise InputError(
                    f"{path} is missing or damaged (its SHA-256 is not the one in {INFO_FILE}); "
                    "make the data set again with --overwrite"
                )
    # Left when the conversion was killed in its very last moment.
    journal.remove_notes(directory)
    return info
