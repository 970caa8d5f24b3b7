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
    """Reads concepts and labels, and splits the tagged images, whether or not they exist.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth` and `ImageList`.
        split: `"paper"` or `"official"`, as in `NUSWide`.
        seed: seed of the random split and order.

    Returns:
        The names of the concepts, and the splits `train` and `test`.

    Raises:
        InputError: a file is missing, malformed or of another length than the others.

    Example:
        >>> tag_names, splits = load_splits("NUS-WIDE", split="official")
        >>> splits["test"].labels.shape  # (83898, 81) in the whole release
        (12, 3)
    """
    if split not in ("paper", "official"):
        raise ValueError(f'split must be "paper" or "official", received {split!r}')
    tag_names = read_concepts(input_dir)
    splits = {}
    if split == "paper":
        filenames = read_image_list(image_list_path(input_dir, ALL_IMAGES))
        labels = read_labels(input_dir, tag_names, ALL_LABELS, len(filenames))
        for name, rows in zip(("train", "test"), paper_split(labels, seed), strict=True):
            splits[name] = LabelledSplit([filenames[row] for row in rows], labels[rows])
    else:
        random = np.random.RandomState(seed)
        for name, filenames in read_official_lists(input_dir).items():
            labels = read_labels(input_dir, tag_names, OFFICIAL_LABELS[name], len(filenames))
            rows = random.permutation(np.flatnonzero(labels.any(axis=1)))
            splits[name] = LabelledSplit([filenames[row] for row in rows], labels[rows])
    for name, part in splits.items():
        if not part.filenames:
            raise InputError(
                f"{input_dir}: no image of the {name} split has a concept; unpack the release's "
                "Groundtruth again"
            )
    return tag_names, splits


def paper_split(labels: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Splits the tagged images at random into 150,000 for training and 59,347 for testing.

    The paper's own split is not published. Of fewer images the same share is taken.

    Args:
        labels: (num_images, num_tags), 1 or 0.
        seed: seed of the random split.

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
