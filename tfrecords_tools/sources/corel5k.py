"""Corel5K: 4,500 training and 499 test photographs, 374 words, 1 to 5 words an image.

P. Duygulu et al., "Object Recognition as Machine Translation", ECCV 2002, in the form that is
passed around: `db/{train,test}/<id>.jpeg`, `labels/words` with one word a line, and
`labels/{training_label,test_label}` with lines `id w1 .. w5`, words counted from 1.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import load_image
from tfrecords_tools.schema import Record

LABEL_FILES = {"train": "training_label", "test": "test_label"}


class LabelledImage(NamedTuple):
    """An image file, relative to `db/`, and its tags."""

    filename: str
    tag_ids: tuple[int, ...]


class Corel5K:
    """Reads Corel5K's folder.

    Args:
        input_dir: the folder that holds `db` and `labels`, or that holds it as `corel5k`.
        size: height and width to resize the images to; None to keep them.

    Attributes:
        settings: what was chosen, for `convert`.

    Raises:
        InputError: a folder or file is missing, or a line of the labels is malformed.

    Example:
        >>> source = Corel5K("corel5k", size=64)
        >>> source.splits["train"][0]
        LabelledImage(filename='train/1000.jpeg', tag_ids=(0, 1, 2, 3))
    """

    def __init__(self, input_dir: str | os.PathLike[str], size: int | None = None) -> None:
        directory = _find(Path(input_dir))
        self.settings: dict[str, Any] = {"size": size}
        self.tag_names = _read_lines(directory / "labels" / "words")
        self.splits = {
            split: _read_labels(directory, split, len(self.tag_names)) for split in LABEL_FILES
        }
        self._images = directory / "db"
        self._size = size

    def path(self, item: LabelledImage) -> Path:
        """The image's file."""
        return self._images / item.filename

    def load(self, item: LabelledImage) -> Record:
        """Reads one image; raises InputError when it is damaged."""
        image = load_image(self.path(item), self._size)
        return Record(image.encoded, item.filename, image.height, image.width, item.tag_ids)


def _find(input_dir: Path) -> Path:
    for directory in (input_dir, input_dir / "corel5k"):
        if (directory / "db").is_dir() and (directory / "labels").is_dir():
            return directory
    raise InputError(
        f"{input_dir} is not Corel5K's folder; expected the folders db and labels in it, "
        "or a folder corel5k that holds them"
    )


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        raise InputError(
            f"{path} is missing; Corel5K's labels are the files words, training_label, test_label"
        )
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().split("\n")
    return [line.strip() for line in lines]


def _read_labels(directory: Path, split: str, num_tags: int) -> list[LabelledImage]:
    folder = directory / "db" / split
    if not folder.is_dir():
        raise InputError(f"{folder} is missing; expected the images of the {split} split")
    files = set(os.listdir(folder))
    path = directory / "labels" / LABEL_FILES[split]
    items, labelled = [], set()
    for number, line in enumerate(_read_lines(path), 1):
        where = f"{path}, line {number}"
        try:
            image_id, *words = map(int, line.split())
        except ValueError:
            words = []
        if not words:
            raise InputError(f"{where}: expected an image id and its word ids, found {line!r}")
        for word in words:
            if not 1 <= word <= num_tags:
                raise InputError(f"{where}: word {word} is not one of the words 1 to {num_tags}")
        file = f"{image_id}.jpeg"
        if file not in files:
            raise InputError(f"{where}: the image {folder / file} is missing")
        if file in labelled:
            raise InputError(f"{where}: image {image_id} has a line of its own already")
        labelled.add(file)
        # A set: one line of the test labels names a word twice.
        tag_ids = tuple(sorted({word - 1 for word in words}))
        items.append(LabelledImage(f"{split}/{file}", tag_ids))
    pictures = {file for file in files if file.endswith(".jpeg")}
    if unlabelled := pictures - labelled:
        raise InputError(
            f"{path} has {len(labelled)} lines for the {len(pictures)} images in {folder}; "
            f"{min(unlabelled)} is one without a line"
        )
    return items
