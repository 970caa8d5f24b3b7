"""Corel5K: 4,500 training and 499 test photographs, 374 words, 1 to 5 words per image.

P. Duygulu et al., "Object Recognition as Machine Translation", ECCV 2002, in its usual
form: `db/{train,test}/<id>.jpeg`, `labels/words` with one word per line, and
`labels/{training_label,test_label}` with lines `id w1 .. w5`, words counted from 1.
"""

from __future__ import annotations

import os
from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.files import ImageFiles, LabelledImage

LABEL_FILES = {"train": "training_label", "test": "test_label"}


class Corel5K(ImageFiles):
    """Reads Corel5K's folder.

    Args:
        input_dir: the folder with `db` and `labels`, or the folder that contains it as `corel5k`.
        size: side of the square that images are resized to, in pixels; None keeps their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.

    Raises:
        InputError: a folder or file is missing, or a line of the labels is malformed.

    Example:
        >>> source = Corel5K("corel5k", size=64)
        >>> source.splits["train"][0]
        LabelledImage(filename='train/1000.jpeg', tag_ids=(0, 1, 2, 3), unknown_ids=())
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        size: int | None = 256,
        shorter_side: bool = False,
    ) -> None:
        directory = _find(Path(input_dir))
        tag_names = _read_lines(directory / "labels" / "words")
        splits = {split: _read_labels(directory, split, len(tag_names)) for split in LABEL_FILES}
        super().__init__(directory / "db", tag_names, splits, size, shorter_side)


def _find(input_dir: Path) -> Path:
    for directory in (input_dir, input_dir / "corel5k"):
        if (directory / "db").is_dir() and (directory / "labels").is_dir():
            return directory
    raise InputError(
        f"{input_dir} is not Corel5K's folder; expected the folders db and labels in it, "
        "or a folder corel5k that contains them"
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
                raise InputError(f"{where}: found word {word}, expected 1 to {num_tags}")
        file = f"{image_id}.jpeg"
        if file not in files:
            raise InputError(f"{where}: the image {folder / file} is missing")
        if file in labelled:
            raise InputError(f"{where}: image {image_id} has another line already")
        labelled.add(file)
        # A set, since one line of the test labels names a word twice.
        tag_ids = tuple(sorted({word - 1 for word in words}))
        items.append(LabelledImage(f"{split}/{file}", tag_ids))
    pictures = {file for file in files if file.endswith(".jpeg")}
    if unlabelled := pictures - labelled:
        raise InputError(
            f"{path} has {len(labelled)} lines for the {len(pictures)} images in {folder}; "
            f"{min(unlabelled)} is one without a line"
        )
    return items
