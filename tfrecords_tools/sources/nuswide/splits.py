"""The two splits: which images, in which order, with which labels."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide.ground_truth import (
    ALL_LABELS,
    OFFICIAL_LABELS,
    read_concepts,
    read_labels,
)
from tfrecords_tools.sources.nuswide.image_lists import (
    ALL_IMAGES,
    image_list_path,
    read_image_list,
    read_official_lists,
)

# Gong et al.: 150,000 training images of 209,347.
TRAIN_SHARE = 150_000 / 209_347


class LabelledSplit(NamedTuple):
    """The images of a split, `<category>/<file>`, and their labels, uint8 (num_images, 81)."""

    filenames: list[str]
    labels: np.ndarray


def load_splits(
    input_dir: str | os.PathLike[str], split: str = "paper", seed: int = 0
) -> tuple[list[str], dict[str, LabelledSplit]]:
    """Reads concepts and labels, and splits the tagged images, whether or not they are there.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth` and `ImageList`.
        split: `"paper"` or `"official"`, as of `NUSWide`.
        seed: of the random choice and order.

    Returns:
        The names of the concepts, and the splits `train` and `test`.

    Raises:
        InputError: a file is missing, malformed or of another length than the others.

    Example:
        >>> tag_names, splits = load_splits("NUS-WIDE", split="official")
        >>> splits["test"].labels.shape  # (83898, 81) of the whole release
        (12, 3)
    """
    if split not in ("paper", "official"):
        raise ValueError(f'split must be "paper" or "official", received {split!r}')
    tag_names = read_concepts(input_dir)
    load = _paper_splits if split == "paper" else _official_splits
    splits = load(input_dir, tag_names, seed)
    for name, part in splits.items():
        if not part.filenames:
            raise InputError(
                f"{input_dir}: no image with a concept is left for the {name} split; "
                "unpack the release's Groundtruth again"
            )
    return tag_names, splits


def paper_split(labels: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Splits the tagged images at random into 150,000 for training and 59,347 for testing.

    The paper's own partition is not published. Of fewer images the same share is taken.

    Args:
        labels: (num_images, num_tags), 1 or 0.
        seed: of the random choice.

    Returns:
        The rows of `labels` for training and those for testing, in random order.

    Example:
        >>> labels = np.ones((209_347, 81), np.uint8)
        >>> train, test = paper_split(labels, seed=0)
        >>> len(train), len(test)
        (150000, 59347)
    """
    # RandomState, unlike default_rng, gives the same numbers in every version of NumPy.
    tagged = np.random.RandomState(seed).permutation(np.flatnonzero(labels.any(axis=1)))
    num_train = round(len(tagged) * TRAIN_SHARE)
    return tagged[:num_train], tagged[num_train:]


def _paper_splits(
    input_dir: str | os.PathLike[str], tag_names: list[str], seed: int
) -> dict[str, LabelledSplit]:
    filenames = read_image_list(image_list_path(input_dir, ALL_IMAGES))
    labels = read_labels(input_dir, tag_names, ALL_LABELS, len(filenames))
    train, test = paper_split(labels, seed)
    return {"train": _take(filenames, labels, train), "test": _take(filenames, labels, test)}


def _official_splits(
    input_dir: str | os.PathLike[str], tag_names: list[str], seed: int
) -> dict[str, LabelledSplit]:
    random = np.random.RandomState(seed)
    splits = {}
    for name, filenames in read_official_lists(input_dir).items():
        labels = read_labels(input_dir, tag_names, OFFICIAL_LABELS[name], len(filenames))
        rows = random.permutation(np.flatnonzero(labels.any(axis=1)))
        splits[name] = _take(filenames, labels, rows)
    return splits


def _take(filenames: list[str], labels: np.ndarray, rows: np.ndarray) -> LabelledSplit:
    return LabelledSplit([filenames[row] for row in rows], labels[rows])
