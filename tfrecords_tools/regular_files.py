"""Reading regular files only: a named pipe or a device could block for ever."""

from __future__ import annotations

from pathlib import Path

from tfrecords_tools.errors import InputError


def read_regular(path: Path) -> bytes:
    """The content of a file, also behind a link.

    Raises:
        InputError: the path exists, but is not a regular file.
        OSError: the file is missing or cannot be read.
    """
    require_regular(path)
    return path.read_bytes()


def require_regular(path: Path) -> None:
    """Raises InputError if a path exists and is not a regular file, such as a named pipe."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a regular file; expected a file, not a folder or a pipe")
