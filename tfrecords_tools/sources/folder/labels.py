"""What is said of one image, and the rules of text that tables and text files share."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import InputError

# A table's words for the splits, and the folders'.
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


class ImageLabels(NamedTuple):
    """One image's file, relative to the folder, and what the labels say of it.

    `split` is None where they name none; `where` is the place they stand at, for messages.
    """

    filename: str
    tags: tuple[str, ...]
    unknown: tuple[str, ...]
    split: str | None
    where: str


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: it is not UTF-8.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
    else:
        if "\0" not in text:
            return text
        # UTF-16 of plain letters decodes as UTF-8, with a zero beside every letter.
        line = text.count("\n", 0, text.index("\0")) + 1
    raise InputError(
        f"{path}, line {line}: not UTF-8 text; save the file again as UTF-8 (in a spreadsheet "
        'program: "CSV UTF-8")'
    )


@cache
def tag_name(text: str) -> str:
    """A tag as it is stored: composed Unicode (NFC), single blanks, case kept."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def tag_names(parts: Iterable[str]) -> tuple[str, ...]:
    """The tags that a text was cut into, each once, without empty ones."""
    return tuple(dict.fromkeys(tag for part in parts if (tag := tag_name(part))))


def file_name(text: str) -> str:
    """A file name as names are compared: composed Unicode (NFC), as another system may have it."""
    return unicodedata.normalize("NFC", text)
