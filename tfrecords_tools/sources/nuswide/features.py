"""NUS-WIDE's low-level features as arrays: everything a baseline needs, without an image."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfrecords_tools.errors import InputError

INFO_FILE = "features_info.json"
FEATURES_FILE = "{}_features.npy"
LABELS_FILE = "{}_labels.npy"
FILENAMES_FILE = "{}_filenames.txt"


class FeatureSplit(NamedTuple):
    """One split; row i of both arrays is the image `filenames[i]`.

    `features` is float32 (num_images, 1134), `labels` uint8 (num_images, 81) of 1 or 0; both are
    read from disk when they are used.

    Example:
        >>> features, labels = np.zeros((2, 1134)), np.ones((2, 81))
        >>> FeatureSplit(features, labels, ["sky/0001_1.jpg", "sky/0002_2.jpg"]).labels.shape
        (2, 81)
    """

    features: np.ndarray
    labels: np.ndarray
    filenames: list[str]


class Features(NamedTuple):
    """The splits, the names of the tags, and which columns each feature has.

    Example:
        >>> split = FeatureSplit(np.zeros((1, 1134)), np.ones((1, 2)), ["sky/0001_1.jpg"])
        >>> features = Features(split, split, ["sea", "sky"], {"CH": slice(0, 64)})
        >>> features.test.features[:, features.columns["CH"]].shape
        (1, 64)
    """

    train: FeatureSplit
    test: FeatureSplit
    tag_names: list[str]
    columns: dict[str, slice]


def load_features(directory: str | os.PathLike[str]) -> Features:
    """Opens the arrays that `nuswide-features` made, memory-mapped and read-only.

    The values are those of the release: the bag of words are counts, far larger than the rest.
    For distances, scale each feature first, by its columns.

    Args:
        directory: the folder that `nuswide-features` wrote into.

    Raises:
        InputError: there are no such arrays, or a file is missing or of another size, shape or
            type than `features_info.json` says.

    Example:
        >>> from tfrecords_tools.sources.nuswide import write_features
        >>> _ = write_features("NUS-WIDE", "features")
        >>> features = load_features("features")
        >>> features.train.features[:, features.columns["BoW"]].shape  # 150,000 rows of all
        (21, 500)
    """
    folder = Path(directory)
    info = _read_info(folder)
    try:
        tag_names = [str(name) for name in info["tag_names"]]
        columns = {
            feature["name"]: slice(feature["start"], feature["stop"])
            for feature in info["features"]
        }
        num_features = max(column.stop for column in columns.values())
        splits = {
            name: _open(folder, name, info["splits"][name], num_features, len(tag_names))
            for name in ("train", "test")
        }
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(_make_again(folder, f"{INFO_FILE} is damaged ({error!r})")) from error
    return Features(splits["train"], splits["test"], tag_names, columns)


def _read_info(folder: Path) -> Any:
    try:
        return json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} holds no {INFO_FILE}; expected a folder that "
            "`python -m tfrecords_tools nuswide-features` has finished"
        ) from None
    except ValueError as error:
        raise InputError(_make_again(folder, f"{INFO_FILE} is not JSON: {error}")) from error


def _open(
    folder: Path, name: str, split: dict[str, Any], num_features: int, num_tags: int
) -> FeatureSplit:
    for file, num_bytes in split["files"].items():
        path = folder / file
        there = path.stat().st_size if path.is_file() else None
        if there != num_bytes:
            found = "it is missing" if there is None else f"found {there:,}"
            raise InputError(_make_again(folder, f"{file}: expected {num_bytes:,} bytes, {found}"))
    num_images = split["num_images"]
    text = (folder / FILENAMES_FILE.format(name)).read_text(encoding="utf-8")
    filenames = text.split("\n")[:-1]
    if len(filenames) != num_images:
        raise InputError(
            _make_again(folder, f"{name}: {len(filenames)} file names for {num_images} images")
        )
    return FeatureSplit(
        _map(folder, FEATURES_FILE.format(name), np.float32, (num_images, num_features)),
        _map(folder, LABELS_FILE.format(name), np.uint8, (num_images, num_tags)),
        filenames,
    )


def _map(folder: Path, file: str, dtype: type, shape: tuple[int, int]) -> np.ndarray:
    try:
        array = np.load(folder / file, mmap_mode="r")
    except ValueError as error:
        raise InputError(_make_again(folder, f"{file} is no array of NumPy: {error}")) from error
    if array.shape != shape or array.dtype != dtype:
        raise InputError(
            _make_again(
                folder,
                f"{file}: expected {np.dtype(dtype)} {shape}, found {array.dtype} {array.shape}",
            )
        )
    return array


def _make_again(folder: Path, reason: str) -> str:
    return f"{folder}: {reason}; remove the folder and run nuswide-features again"
