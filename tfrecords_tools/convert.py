"""Converting a source of images and tags to a data set of TFRecord shards.

Images are read and resized in worker processes and written by this one, in the source's order, so
that the files are the same whatever the number of workers.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.loading import Loader, Rejected, Source
from tfrecords_tools.schema import (
    INFO_FILE,
    TEMPORARY_SUFFIX,
    DatasetInfo,
    Record,
    Split,
    serialize,
)
from tfrecords_tools.shards import (
    REJECTED_FILE,
    SplitWriter,
    claim_folder,
    file_sha256,
    remove_shards,
)


def convert(
    source: Source,
    output: str | os.PathLike[str],
    *,
    name: str,
    settings: dict[str, Any],
    workers: int | None = None,
    progress: bool = True,
    overwrite: bool = False,
    max_rejected: float = 0.01,
) -> DatasetInfo:
    """Writes a source's images and tags as TFRecord shards with a `dataset_info.json`.

    Damaged images are left out and listed in `rejected.csv`. A data set that is already there,
    complete and made from the same images (by name, tags and size) with the same settings, is
    returned as it is.

    Args:
        source: the images and tags.
        output: the folder to write into; it is made if need be.
        name: the data set's name, such as `corel5k`.
        settings: what was chosen, such as the image size; JSON values.
        workers: number of worker processes; 1 for none, None for one a processor core.
        progress: whether to show a progress bar, if standard error is a terminal.
        overwrite: whether to replace another data set in `output`.
        max_rejected: the share of damaged images, 0 to 1, above which the conversion stops.

    Raises:
        InputError: the source has too many damaged images, or wrong tag ids, or an empty split;
            `output` cannot be written or holds another data set.
        OSError: writing fails on the way, as on a full disk.

    Example:
        >>> source = Corel5K("corel5k", size=64)
        >>> info = convert(source, "records/corel5k", name="corel5k", settings={"size": 64})
        >>> info.splits["train"].num_images
        4500
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, received {workers}")
    if not 0 <= max_rejected <= 1:
        raise ValueError(f"max_rejected must be a share from 0 to 1, received {max_rejected}")
    for split, items in source.splits.items():
        if not items:
            raise InputError(f"{name}: there are no images for the split {split!r}")
    directory = Path(output)
    planned = DatasetInfo(
        name=name,
        source=f"{type(source).__module__}.{type(source).__qualname__}",
        settings=json.loads(json.dumps(settings)),
        tag_names=list(source.tag_names),
        splits={},
        input_checksum=_input_checksum(source),
    )
    if (directory / INFO_FILE).exists() and not overwrite:
        return _reuse(directory, planned)

    claim_folder(directory, overwrite)
    rejected = _RejectedImages(sum(map(len, source.splits.values())), max_rejected)
    try:
        splits = {}
        with Loader(source, workers or os.cpu_count() or 1) as loader:
            for split, items in source.splits.items():
                # disable=None: tqdm shows no bar where standard error is not a terminal.
                results = tqdm(
                    loader.load(items),
                    desc=split,
                    total=len(items),
                    unit="image",
                    disable=None if progress else True,
                )
                writer = SplitWriter(directory, split, len(items))
                splits[split] = _write_split(results, writer, source.tag_names, rejected)
        rejected.write(directory)
    except BaseException:
        remove_shards(directory)
        raise
    info = replace(planned, splits=splits)
    info.save(directory)
    return info


def _write_split(
    results: Iterable[Record | Rejected],
    writer: SplitWriter,
    tag_names: Sequence[str],
    rejected: _RejectedImages,
) -> Split:
    tag_counts = [0] * len(tag_names)
    num_images = num_rejected = 0
    for result in results:
        if isinstance(result, Rejected):
            rejected.add(result)
            num_rejected += 1
            continue
        writer.write(serialize(result, tag_names))
        num_images += 1
        for tag_id in result.tag_ids:
            tag_counts[tag_id] += 1
    return Split(num_images, tag_counts, writer.finish(), num_rejected)


class _RejectedImages:
    """The damaged images of a conversion; raises InputError when they become too many."""

    def __init__(self, num_images: int, max_share: float) -> None:
        self._num_images = num_images
        self._max_share = max_share
        self._rejected: list[Rejected] = []

    def add(self, rejected: Rejected) -> None:
        self._rejected.append(rejected)
        if len(self._rejected) > self._max_share * self._num_images:
            first = "; ".join(entry.reason for entry in self._rejected[:3])
            raise InputError(
                f"{len(self._rejected)} or more of {self._num_images} images are damaged, "
                f"{self._max_share:.2%} are allowed (--max-rejected). The first: {first}"
            )

    def write(self, directory: Path) -> None:
        if not self._rejected:
            return
        path = directory / REJECTED_FILE
        temporary = Path(f"{path}{TEMPORARY_SUFFIX}")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(Rejected._fields)
            rows.writerows(self._rejected)
        os.replace(temporary, path)


def _input_checksum(source: Source) -> str:
    """Of names, tags and, where the source reads files (`path`), their sizes."""
    path = getattr(source, "path", None)
    digest = hashlib.sha256()
    for split, items in source.splits.items():
        digest.update(f"{split}\n".encode())
        for item in items:
            size = path(item).stat().st_size if path else ""
            digest.update(f"{item!r} {size}\n".encode())
    return digest.hexdigest()


def _reuse(directory: Path, planned: DatasetInfo) -> DatasetInfo:
    """The data set that is already in a folder, if it is whole and the one that is planned."""
    info = DatasetInfo.load(directory)
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
    return info
