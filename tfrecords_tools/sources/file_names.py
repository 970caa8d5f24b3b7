"""Finding files by names that may have another Unicode form in the labels than on the disk."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path


def composed(name: str) -> str:
    """A file name as names are compared: composed Unicode (NFC)."""
    return unicodedata.normalize("NFC", name)


class FileNames:
    """The names of existing files.

    Args:
        names: the names as the file system lists them.

    Example:
        >>> FileNames(["cafe\u0301.jpg"]).find("caf\u00e9.jpg") == "cafe\u0301.jpg"
        True
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)
        self._by_composed = {composed(name): name for name in sorted(self._names)}

    def find(self, name: str) -> str | None:
        """The existing file of this name, in another Unicode form if need be, or None."""
        return name if name in self._names else self._by_composed.get(composed(name))


def files_below(folder: Path) -> FileNames:
    """The files in a folder and below it, relative to it, with `/`; none in linked folders."""
    return FileNames(
        (Path(parent).relative_to(folder) / name).as_posix()
        for parent, _, names in os.walk(folder)
        for name in names
    )
