"""NUS-WIDE's low-level features as arrays, for baselines without images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.typed_json import Count, read_as

INFO_FILE = "features_info.json"
FEATURES_FILE = "{}_features.npy"
LABELS_FILE = "{}_labels.npy"
FILENAMES_FILE = "{}_filenames.txt"

_FIX = "remove the folder and write the features again"


class _Block(TypedDict):
    name: str
    start: Count
    stop: Count


class _Split(TypedDict):
    num_images: Count
    files: dict[str, Count]


class _Splits(TypedDict):
    train: _Split
    test: _Split


class _Info(TypedDict):
    """The content of features_info.json."""

    features: list[_Block]
    tag_names: list[str]
    sources: dict[str, Count]
    splits: _Splits


class FeatureSplit(NamedTuple):
    """One split; row i of both arrays is the image `filenames[i]`.

    `features` is float32 (num_images, 1134), `labels` uint8 (num_images, 81) of 1 or 0; both are
    read from disk when they are used.
    """

    features: np.ndarray
    labels: np.ndarray
    filenames: list[str]


class Features(NamedTuple):
    """The splits, the names of the tags, and the columns of each feature."""

    train: FeatureSplit
    test: FeatureSplit
    tag_names: list[str]
    columns: dict[str, slice]


def load_features(directory: str | os.PathLike[str]) -> Features:
    """Opens the arrays that `write_features` wrote, memory-mapped and read-only.

    The values are those of the release: the bag of words are counts, far larger than the rest.
    For distances, scale each feature first, by its columns.

    Args:
        directory: the folder of the arrays.

    Raises:
        InputError: there are no arrays, or a file is missing or of another size, shape or type
            than `features_info.json` says.

    Example:
        >>> from tfrecords_tools.sources.nuswide import write_features
        >>> _ = write_features("NUS-WIDE", "features")
        >>> features = load_features("features")
        >>> features.train.features[:, features.columns["BoW"]].shape  # 150,000 rows in all
        (21, 500)
    """
    folder = Path(directory)
    info = read_info(folder)
    columns = {
        feature["name"]: slice(feature["start"], feature["stop"]) for feature in info["features"]
    }
    num_columns = max((column.stop for column in columns.values()), default=0)
    try:
        train, test = (
            _open(folder, name, info["splits"][name], num_columns, len(info["tag_names"]))
            for name in ("train", "test")
        )
    # NumPy has several exceptions for a damaged file.
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{folder} is damaged ({error}); {_FIX}") from error
    return Features(train, test, info["tag_names"], columns)


def read_info(folder: Path) -> _Info:
    """The description of the arrays in a folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    try:
        return read_as(folder / INFO_FILE, _Info, _FIX)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} holds no {INFO_FILE}; expected a folder of NUS-WIDE's features as arrays"
        ) from None


def _open(folder: Path, name: str, split: _Split, num_features: int, num_tags: int) -> FeatureSplit:
    for file, num_bytes in split["files"].items():
        path = folder / file
        found = path.stat().st_size if path.is_file() else 0
        if found != num_bytes:
            raise ValueError(f"{file}: expected {num_bytes:,} bytes, found {found:,}")
    text = (folder / FILENAMES_FILE.format(name)).read_text(encoding="utf-8")
    filenames = text.split("\n")[:-1]
    features = np.load(folder / FEATURES_FILE.format(name), mmap_mode="r")
    labels = np.load(folder / LABELS_FILE.format(name), mmap_mode="r")
    num_images = split["num_images"]
    shapes = (len(filenames), features.shape, labels.shape)
    expected = (num_images, (num_images, num_features), (num_images, num_tags))
    if shapes != expected or (features.dtype, labels.dtype) != (np.float32, np.uint8):
        raise ValueError(
            f"{name}: expected file names, float32 features and uint8 labels of shapes {expected}, "
            f"found {features.dtype} and {labels.dtype} of shapes {shapes}"
        )
    return FeatureSplit(features, labels, filenames)
