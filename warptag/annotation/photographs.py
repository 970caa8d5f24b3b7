"""The image files that names on the command line stand for."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path

from PIL import Image

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.folder.source import PHOTOGRAPHS

STANDARD_INPUT = "-"
CHUNK_BYTES = 1 << 16


def find_photographs(names: Iterable[str], standard_input: BufferedIOBase) -> Iterator[Path]:
    """The image files that names stand for, in a repeatable order; they are not opened.

    - A folder stands for all files in it and below with the suffix of an image format, except
      hidden ones. A folder without such files stands for itself, and reading it reports that.
    - A pattern such as "2024/*.jpg" or "photos/**/*.png", with * or ?, stands for all files that it
      matches. Brackets stand for themselves, since names such as "photo [1].jpg" are common.
    - "-" stands for the names on standard input, one per line or separated by zero bytes (the
      output of `find -print0`). None of them is a pattern.
    - Any other name stands for the file of that name, whatever its suffix, also if it is missing.

    Args:
        names: the names as given on the command line.
        standard_input: a binary stream, read as far as photographs are requested.

    Raises:
        InputError: a name is empty, or standard input is an image instead of names.

    Example:
        >>> list(find_photographs(["cat.jpg"], standard_input=None))
        [PosixPath('cat.jpg')]
    """
    for name in names:
        if name == STANDARD_INPUT:
            for listed in _read_names(standard_input):
                yield from _files(listed)
        elif not name:
            raise InputError("a name is empty; expected a file, a folder, a pattern or -")
        elif ("*" in name or "?" in name) and not os.path.lexists(name):
            found = glob.glob(name.replace("[", "[[]"), recursive=True)
            # A pattern that matches nothing is reported as a missing file.
            yield from map(Path, sorted(filter(os.path.isfile, found)) or [name])
        else:
            yield from _files(name)


def _files(name: str) -> Iterator[Path]:
    """The files that a name without a pattern stands for."""
    if os.path.isdir(name):
        yield from _files_below(Path(name))
    else:
        yield Path(name)


def _files_below(folder: Path) -> Iterator[Path]:
    endings = {
        ending for ending, name in Image.registered_extensions().items() if name in PHOTOGRAPHS
    }
    found = False
    unread: list[Path] = []
    for directory, folders, files in os.walk(folder, onerror=lambda e: unread.append(e.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in endings:
                found = True
                yield Path(directory, name)
    yield from map(Path, unread or ([] if found else [folder]))


def _read_names(standard_input: BufferedIOBase) -> Iterator[str]:
    # Only what is available: the first photographs do not wait for a list of millions.
    first = standard_input.read1(CHUNK_BYTES)
    binary = first.startswith((b"RIFF", b"BM")) and b"\0" in first[:16]
    if binary or first.startswith((b"\xff\xd8", b"\x89PNG", b"GIF87a", b"GIF89a")):
        raise InputError(
            "standard input is an image; expected the names of files, one per line, such as the "
            "output of `find photos -name '*.jpg'`"
        )
    separator = b"\0" if b"\0" in first else b"\n"
    unfinished = b""
    for chunk in itertools.chain([first], iter(lambda: standard_input.read1(CHUNK_BYTES), b"")):
        *names, unfinished = (unfinished + chunk).split(separator)
        yield from (os.fsdecode(name.rstrip(b"\r")) for name in names if name.strip())
    if unfinished.strip():
        yield os.fsdecode(unfinished.rstrip(b"\r\n"))
