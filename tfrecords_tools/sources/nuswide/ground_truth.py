"""The 81 concepts and the labels: `ConceptsList/Concepts81.txt` and `Groundtruth/`."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide.image_lists import (
    ALL_IMAGES,
    image_list_path,
    read_image_list,
)
from tfrecords_tools.sources.nuswide.reading import read_bytes, read_lines

ALL_LABELS = "AllLabels/Labels_{}.txt"
OFFICIAL_LABELS = {
    "train": "TrainTestLabels/Labels_{}_Train.txt",
    "test": "TrainTestLabels/Labels_{}_Test.txt",
}

NOISY_FOLDER = "NUS_WID_Tags"
NOISY_FILES = ("AllTags81.txt", "Train_Tags81.txt", "Test_Tags81.txt")
WHY_NOT_NOISY = (
    f"{NOISY_FOLDER} holds the noisy tags of Flickr's users, not the ground truth that all results "
    "are measured on; put the folders AllLabels and TrainTestLabels of the release's download "
    "Groundtruth into the folder Groundtruth of the input folder"
)


def load_ground_truth(input_dir: str | os.PathLike[str]) -> tuple[list[str], np.ndarray]:
    """Reads the concepts and the labels of all images; the images are not needed.

    Args:
        input_dir: the folder with `ConceptsList/Concepts81.txt` and `Groundtruth/AllLabels`.

    Returns:
        The names of the 81 concepts, and the labels, uint8 (269648, 81), 1 or 0.

    Raises:
        InputError: a file is missing, malformed or of another length than the others, or the
            folder holds the users' noisy tags instead.

    Example:
        >>> tag_names, labels = load_ground_truth("NUS-WIDE")
        >>> tag_names[:3], labels.shape  # (269648, 81) in the whole release
        (['animal', 'boats', 'clouds'], (40, 3))
    """
    tag_names = read_concepts(input_dir)
    path = image_list_path(input_dir, ALL_IMAGES)
    num_images = len(read_image_list(path)) if path.exists() else None
    return tag_names, read_labels(input_dir, tag_names, ALL_LABELS, num_images)


def read_concepts(input_dir: str | os.PathLike[str]) -> list[str]:
    """Reads the names of the concepts, in the release's alphabetical order; raises InputError."""
    directory = Path(input_dir)
    if not (directory / "Groundtruth").is_dir():
        for folder in (directory, directory / NOISY_FOLDER):
            _refuse_noisy_files(folder)
    path = directory / "ConceptsList" / "Concepts81.txt"
    names = [name for name in read_lines(path) if name]
    if not names:
        raise InputError(f"{path} is empty; expected 81 names, one per line")
    return names


def read_labels(
    input_dir: str | os.PathLike[str],
    tag_names: list[str],
    pattern: str,
    num_images: int | None,
) -> np.ndarray:
    """Reads the label files of all concepts.

    Args:
        input_dir: the folder with `Groundtruth`.
        tag_names: the names of the concepts.
        pattern: the path of a concept's file in `Groundtruth`, with `{}` for its name.
        num_images: the number of images in their list; None for the length of most files.

    Returns:
        uint8 (num_images, num_tags), 1 or 0.

    Raises:
        InputError: a file is missing, malformed, of another length, or holds noisy tags.
    """
    paths = [Path(input_dir) / "Groundtruth" / pattern.format(name) for name in tag_names]
    columns = [_read_column(path) for path in paths]
    if num_images is None:
        expected = Counter(map(len, columns)).most_common(1)[0][0]
        like = "like most label files"
    else:
        expected = num_images
        like = "like the list of images"
    for path, column in zip(paths, columns, strict=True):
        if len(column) != expected:
            raise InputError(
                f"{path} has {len(column)} lines, expected {expected} {like}; unpack the release's "
                "file again"
            )
    return np.stack(columns, axis=1)


def _read_column(path: Path) -> np.ndarray:
    """One concept's labels, uint8 (num_images,)."""
    if not path.exists():
        for folder in (path.parent, path.parent.parent):
            _refuse_noisy_files(folder)
    content = read_bytes(path).rstrip() + b"\n"
    # Lines may end with CRLF or blanks.
    characters = np.frombuffer(content.translate(None, b"\r \t"), np.uint8)
    # Expected are a digit and a line end in turn.
    if len(characters) % 2 == 0 and (characters[1::2] == ord("\n")).all():
        column = characters[::2] - ord("0")
        if (column <= 1).all():
            return column
    number, line = next(
        (number, line.strip())
        for number, line in enumerate(content.split(b"\n"), 1)
        if line.strip() not in (b"0", b"1")
    )
    values = line.split()
    if len(values) > 1 and set(values) <= {b"0", b"1"}:
        raise InputError(
            f"{path}, line {number}: expected one 0 or 1, found {len(values)}, as in "
            f"{NOISY_FILES[0]}; {WHY_NOT_NOISY}"
        )
    found = line.decode(errors="replace")[:40]
    raise InputError(f"{path}, line {number}: expected 0 or 1, found {found!r}")


def _refuse_noisy_files(folder: Path) -> None:
    for name in NOISY_FILES:
        if (folder / name).exists():
            raise InputError(f"{folder / name} is not the ground truth; {WHY_NOT_NOISY}")
