"""NUS-WIDE: 269,648 Flickr images and 81 concepts, in the layout of its release.

T.-S. Chua et al., "NUS-WIDE: A Real-World Web Image Database from National University of
Singapore", CIVR 2009. The release has no images; put your copies at
`Flickr/<category>/<NNNN_id>.jpg`. The ground truth is `Groundtruth/`, one file a concept with a 0
or 1 a line; `NUS_WID_Tags/` is not it but the users' noisy tags.

Images without any of the 81 concepts are dropped, which leaves 209,347.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import load_image
from tfrecords_tools.schema import Record

# Gong et al.: 150,000 training images of 209,347.
TRAIN_SHARE = 150_000 / 209_347

ALL_LABELS = ("AllLabels", "Labels_{}.txt", "Imagelist.txt")
OFFICIAL_LABELS = {
    "train": ("TrainTestLabels", "Labels_{}_Train.txt", "TrainImagelist.txt"),
    "test": ("TrainTestLabels", "Labels_{}_Test.txt", "TestImagelist.txt"),
}


class LabelledImage(NamedTuple):
    """An image file, relative to `Flickr/`, and its tags."""

    filename: str
    tag_ids: tuple[int, ...]


class NUSWide:
    """Reads NUS-WIDE's folder; images that are not in it are left out and counted.

    The images of a split come in random order: the release's lists are sorted by category.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth`, `ImageList` and `Flickr`.
        size: height and width to resize the images to; None to keep them.
        split: `"paper"`, 150,000 training and 59,347 test images at random, or `"official"`,
            the release's own, 125,449 and 83,898.
        seed: of the random choice and order.

    Attributes:
        settings: what was chosen, for `convert`.
        missing: for each split the number of images that are not in the folder.

    Raises:
        InputError: a file is missing, malformed or of another length than the others, or none of
            the images is there.

    Example:
        >>> source = NUSWide("NUS-WIDE", split="official")
        >>> source.splits["train"][0].filename
        'zoos/0042_2371584610.jpg'
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        size: int | None = 256,
        split: str = "paper",
        seed: int = 0,
    ) -> None:
        if split not in ("paper", "official"):
            raise ValueError(f'split must be "paper" or "official", received {split!r}')
        directory = Path(input_dir)
        self._images = directory / "Flickr"
        self._size = size
        self.tag_names = _read_concepts(directory)
        labelled = (
            _paper_images(directory, self.tag_names, seed)
            if split == "paper"
            else _official_images(directory, self.tag_names, seed)
        )
        self.splits, self.missing = self._leave_out_missing(labelled)
        self.settings: dict[str, Any] = {
            "size": size,
            "split": split,
            "seed": seed,
            "missing": self.missing,
        }

    def path(self, item: LabelledImage) -> Path:
        """The image's file."""
        return self._images / item.filename

    def load(self, item: LabelledImage) -> Record:
        """Reads one image; raises InputError when it is damaged."""
        image = load_image(self.path(item), self._size)
        return Record(image.encoded, item.filename, image.height, image.width, item.tag_ids)

    def _leave_out_missing(
        self, labelled: dict[str, list[LabelledImage]]
    ) -> tuple[dict[str, list[LabelledImage]], dict[str, int]]:
        if not self._images.is_dir():
            raise InputError(
                f"{self._images} is missing; expected the images as Flickr/<category>/<file>.jpg"
            )
        # Listing the folders is much faster than asking for each of 200,000 files.
        present = {
            f"{category.name}/{file}"
            for category in self._images.iterdir()
            if category.is_dir()
            for file in os.listdir(category)
        }
        splits, missing = {}, {}
        for name, items in labelled.items():
            splits[name] = [item for item in items if item.filename in present]
            missing[name] = len(items) - len(splits[name])
            if not splits[name]:
                raise InputError(
                    f"{self._images} holds none of the {len(items)} images of the {name} split; "
                    f"expected for example {self._images / items[0].filename}"
                )
        return splits, missing


def load_ground_truth(input_dir: str | os.PathLike[str]) -> tuple[list[str], np.ndarray]:
    """Reads the concepts and the labels of all images; the images are not needed.

    Args:
        input_dir: the folder with `ConceptsList/Concepts81.txt` and `Groundtruth/AllLabels`.

    Returns:
        The names of the 81 concepts, and the labels, uint8 (269648, 81), 1 or 0.

    Raises:
        InputError: a file is missing, malformed or of another length than the others.

    Example:
        >>> tag_names, labels = load_ground_truth("NUS-WIDE")
        >>> train, test = paper_split(labels, seed=0)
        >>> labels[test].shape
        (59347, 81)
    """
    directory = Path(input_dir)
    tag_names = _read_concepts(directory)
    folder, pattern, image_list = ALL_LABELS
    path = directory / "ImageList" / image_list
    filenames = _read_image_list(path) if path.exists() else None
    return tag_names, _read_labels(directory, tag_names, folder, pattern, filenames)


def paper_split(labels: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Splits the tagged images at random into 150,000 for training and 59,347 for testing.

    The paper's own partition is not published. Of fewer images the same share is taken.

    Args:
        labels: (num_images, num_tags), 1 or 0.
        seed: of the random choice.

    Returns:
        The rows of `labels` for training and those for testing, in random order.
    """
    # RandomState, unlike default_rng, gives the same numbers in every version of NumPy.
    tagged = np.random.RandomState(seed).permutation(np.flatnonzero(labels.any(axis=1)))
    num_train = round(len(tagged) * TRAIN_SHARE)
    return tagged[:num_train], tagged[num_train:]


def _paper_images(
    directory: Path, tag_names: list[str], seed: int
) -> dict[str, list[LabelledImage]]:
    folder, pattern, image_list = ALL_LABELS
    filenames = _read_image_list(directory / "ImageList" / image_list)
    labels = _read_labels(directory, tag_names, folder, pattern, filenames)
    train, test = paper_split(labels, seed)
    return {
        "train": _labelled_images(filenames, labels, train),
        "test": _labelled_images(filenames, labels, test),
    }


def _official_images(
    directory: Path, tag_names: list[str], seed: int
) -> dict[str, list[LabelledImage]]:
    random = np.random.RandomState(seed)
    images = {}
    for name, (folder, pattern, image_list) in OFFICIAL_LABELS.items():
        filenames = _read_image_list(directory / "ImageList" / image_list)
        labels = _read_labels(directory, tag_names, folder, pattern, filenames)
        rows = random.permutation(np.flatnonzero(labels.any(axis=1)))
        images[name] = _labelled_images(filenames, labels, rows)
    return images


def _labelled_images(
    filenames: list[str], labels: np.ndarray, rows: np.ndarray
) -> list[LabelledImage]:
    return [
        LabelledImage(filenames[row], tuple(np.flatnonzero(labels[row]).tolist())) for row in rows
    ]


def _read_concepts(directory: Path) -> list[str]:
    names = _read(directory / "ConceptsList" / "Concepts81.txt").decode().split()
    if not names:
        raise InputError(f"{directory}/ConceptsList/Concepts81.txt is empty; expected 81 names")
    return names


def _read_image_list(path: Path) -> list[str]:
    lines = _read(path).decode(errors="replace").splitlines()
    return [line.strip().replace("\\", "/") for line in lines if line.strip()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing; it is part of NUS-WIDE's release, which belongs in --input"
        ) from None


def _read_labels(
    directory: Path,
    tag_names: list[str],
    folder: str,
    pattern: str,
    filenames: list[str] | None,
) -> np.ndarray:
    """The labels, uint8 (num_images, num_tags), all files of one length: that of the image list."""
    paths = [directory / "Groundtruth" / folder / pattern.format(name) for name in tag_names]
    columns = [_read_column(path) for path in paths]
    if filenames is None:
        # Without a list of images, what most files say.
        expected = Counter(map(len, columns)).most_common(1)[0][0]
        as_others = "as the other label files have"
    else:
        expected = len(filenames)
        as_others = "as the list of images has"
    for path, column in zip(paths, columns, strict=True):
        if len(column) != expected:
            raise InputError(
                f"{path} has {len(column)} lines, expected {expected}, {as_others}; "
                "unpack the release's file again"
            )
    return np.stack(columns, axis=1)


def _read_column(path: Path) -> np.ndarray:
    # Lines may end with CRLF or blanks.
    text = _read(path).translate(None, b"\r \t").rstrip(b"\n") + b"\n"
    characters = np.frombuffer(text, np.uint8)
    if len(characters) % 2 == 0 and (characters[1::2] == ord("\n")).all():
        column = characters[::2] - ord("0")
        if (column <= 1).all():
            return column
    number, line = next(
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line not in (b"0", b"1")
    )
    found = line.decode(errors="replace")[:40]
    raise InputError(f"{path}, line {number}: expected 0 or 1, found {found!r}")
