"""The labels of one image, and the text of the files that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import InputError
from tfrecords_tools.regular_files import read_regular

# The names of the splits in a table, and of their folders.
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


class ImageLabels(NamedTuple):
    """The labels of one image.

    Attributes:
        filename: the image's file, relative to the folder.
        tags: its tags.
        unknown: tags that it may or may not have.
        split: the name of its split; None if the labels do not name splits.
        where: the place of the labels, for messages.
    """

    filename: str
    tags: tuple[str, ...]
    unknown: tuple[str, ...]
    split: str | None
    where: str


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; raises InputError."""
    content = read_regular(path)
    try:
        text = content.decode("utf-8-sig")
        # UTF-16 text in English decodes as UTF-8, with a zero beside every letter.
        end = text.index("\0") if "\0" in text else None
    except UnicodeDecodeError as error:
        end, text = error.start, content.decode("latin-1")
    if end is None:
        return text
    raise InputError(
        f"{path}, line {text.count(chr(10), 0, end) + 1}: not UTF-8 text; save the file again as "
        'UTF-8 (in a spreadsheet program: "CSV UTF-8")'
    )
