"""Which files are meant: files, folders, patterns, and names on standard input."""

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
#: Bytes.
CHUNK = 1 << 16


def find_photographs(names: Iterable[str], standard_input: BufferedIOBase) -> Iterator[Path]:
    """The image files that the names stand for, in a repeatable order, without looking into them.

    A folder stands for all files in and below it whose ending is that of an image format, hidden
    ones apart, or for itself where there is none, which reading it then reports; a pattern such as
    "2024/*.jpg" or "photos/**/*.png" for all files it matches; "-" for the names on standard input,
    one a line, or separated by zero bytes as of `find -print0`. Any other name is taken as a file,
    whatever its ending; reading it tells whether it is an image.

    Args:
        names: as given on the command line.
        standard_input: read as far as photographs are asked for.

    Raises:
        InputError: a name is empty, or standard input is an image and not names.

    Example:
        >>> list(find_photographs(["cat.jpg"], standard_input=None))
        [PosixPath('cat.jpg')]
    """
    for name in names:
        if name == STANDARD_INPUT:
            for listed in _read_names(standard_input):
                yield from _files(listed)
        else:
            yield from _files(name)


def _files(name: str) -> Iterator[Path]:
    path = Path(name)
    if not name:
        raise InputError("a name is empty; expected files, folders, patterns or -")
    if os.path.isdir(name):
        yield from _files_below(path)
    elif glob.has_magic(name) and not os.path.lexists(name):
        matches = sorted(
            match for match in glob.glob(name, recursive=True) if os.path.isfile(match)
        )
        # A pattern that matches nothing is reported as the file that is missing.
        yield from map(Path, matches or [name])
    else:
        yield path


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
    # As much as there is: a list of millions is not waited for.
    first = standard_input.read1(CHUNK)
    binary = first.startswith((b"RIFF", b"BM")) and b"\0" in first[:16]
    if binary or first.startswith((b"\xff\xd8", b"\x89PNG", b"GIF87a", b"GIF89a")):
        raise InputError(
            "standard input is an image; expected the names of files, one a line, as of "
            "`find photos -name '*.jpg'`; an image is given by its name"
        )
    separator = b"\0" if b"\0" in first else b"\n"
    begun = b""
    for chunk in itertools.chain([first], iter(lambda: standard_input.read1(CHUNK), b"")):
        *names, begun = (begun + chunk).split(separator)
        yield from (os.fsdecode(name.rstrip(b"\r")) for name in names if name.strip())
    if begun.strip():
        yield os.fsdecode(begun.rstrip(b"\r\n"))
