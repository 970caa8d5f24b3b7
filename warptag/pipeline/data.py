"""The data of an experiment: tags, labels and, if there are photographs, their records."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset
from tfrecords_tools.schema import INFO_FILE, DatasetInfo
from tfrecords_tools.sources import source_class
from tfrecords_tools.sources.nuswide import load_ground_truth, paper_split
from warptag.data import Records
from warptag.experiments.experiment import NUSWideLabels, Photographs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Data:
    """The labels that every method is fitted to and evaluated on.

    Attributes:
        dataset: the name of the data set, such as "nuswide".
        tag_names: the names of the tags.
        train_labels: int8 (num_train_images, num_tags): 1, 0, or -1 for unknown.
        test_labels: int8 (num_test_images, num_tags).
        description: sentences about the data, for the notes below the tables.
        folder: the folder of records, if there are photographs.
    """

    dataset: str
    tag_names: list[str]
    train_labels: np.ndarray
    test_labels: np.ndarray
    description: Sequence[str]
    folder: Path | None = None


@singledispatch
def load_data(data: Any, input_dir: Path | None, output: Path) -> Data:
    """Loads the data of an experiment, after converting its photographs if necessary.

    Args:
        data: the `data` of the experiment.
        input_dir: the folder of the original data set, if the data needs one.
        output: the folder of the experiment; records go to `data` in it.

    Raises:
        InputError: the input cannot be used, or the folder contains records of another source.
    """
    raise TypeError(f"unknown kind of data {data!r}")


@load_data.register
def _(data: NUSWideLabels, input_dir: Path | None, output: Path) -> Data:
    tag_names, labels = load_ground_truth(_required(input_dir, "NUS-WIDE"))
    train, test = paper_split(labels, data.seed)
    description = (
        f"Split: {len(train):,} training and {len(test):,} test images, by a permutation of seed "
        f"{data.seed} (the paper's own split is unpublished) of those of the {len(labels):,} "
        "images that have a tag; the others are dropped.",
    )
    labels = labels.astype(np.int8)
    return Data(data.source, tag_names, labels[train], labels[test], description)


@load_data.register
def _(data: Photographs, input_dir: Path | None, output: Path) -> Data:
    folder = output / "data"
    info = convert_photographs(data, data.settings, input_dir, folder)
    for split, count in info.settings.get("missing", {}).items():
        logger.info("    %s: left out %s images without a file in the input", split, f"{count:,}")
    for split, content in info.splits.items():
        if content.num_rejected:
            logger.info(
                "    %s: %s damaged images, see %s/rejected.csv",
                *(split, f"{content.num_rejected:,}", folder),
            )
    count = {name: split.num_images for name, split in info.splits.items()}
    description = (
        f"Data: {count['train']:,} images to fit, {count['validation']:,} for validation, "
        f"{count['test']:,} to test; checksum {info.checksum[:16]}; {data.settings}.",
        "Every method of the tables for k is fitted on the same images; the validation images are "
        "fitted by none of them.",
    )
    train, test = Records(folder, "train"), Records(folder, "test")
    return Data(data.source, info.tag_names, train.labels, test.labels, description, folder)


def convert_photographs(
    data: Photographs, settings: dict[str, Any], input_dir: Path | None, folder: Path
) -> DatasetInfo:
    """Converts photographs to records, unless the folder already contains them.

    Args:
        data: the photographs.
        settings: the arguments of the source.
        input_dir: the folder of the original data set, if the source needs one.
        folder: the folder of the records.

    Raises:
        InputError: the input cannot be used, or the folder contains records of another source.
    """
    source = open_source(data, settings, input_dir)
    make = partial(convert, source, folder, name=data.source, settings=source.settings)
    if not has_records(data, folder):
        return make()
    try:
        return make()
    except (OtherDataset, DamagedDataset) as reason:
        logger.info("    Converting again: %s", reason)
        return make(overwrite=True)


def open_source(data: Photographs, settings: dict[str, Any], input_dir: Path | None) -> Any:
    """The source of photographs, which has read and checked their labels.

    Args:
        data, settings, input_dir: as in `convert_photographs`.

    Raises:
        InputError: the input cannot be used.
    """
    source_type = source_class(data.source)
    if data.needs_input:
        source = source_type(_required(input_dir, data.source), **settings)
    else:
        source = source_type(**settings)
    for note in getattr(source, "notes", ()):
        logger.info("    %s", note)
    return source


def has_records(data: Photographs, folder: Path) -> bool:
    """Whether a folder contains finished records of the photographs.

    Raises:
        InputError: the folder contains records of another source.
    """
    if not (folder / INFO_FILE).exists():
        return False
    found = DatasetInfo.load(folder).name
    if found != data.source:
        raise InputError(
            f"{folder} contains records of {found}, not of {data.source}; choose another folder"
        )
    return True


def check_ks(ks: Sequence[int], tag_names: Sequence[str]) -> None:
    """Raises InputError if a number of tags per image exceeds the number of tags."""
    for k in ks:
        if k > len(tag_names):
            raise InputError(f"k = {k} exceeds the number of tags, {len(tag_names)}")


def _required(input_dir: Path | None, name: str) -> Path:
    if input_dir is None:
        raise InputError(f"{name} needs the folder of the original data set")
    return input_dir
