"""Reading a file of the release."""

from __future__ import annotations

from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.regular_files import read_regular


def read_bytes(path: Path) -> bytes:
    """The content of a file; raises InputError if it does not exist."""
    try:
        return read_regular(path)
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing; expected the files of NUS-WIDE's release in the input folder"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file, stripped, whatever ends them; raises InputError."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text: byte {error.start} is not UTF-8; unpack the release's file again"
        ) from None
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
