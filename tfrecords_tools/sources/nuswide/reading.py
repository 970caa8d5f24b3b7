"""Reading a file of the release, or saying in one line why not."""

from __future__ import annotations

from pathlib import Path

from tfrecords_tools.errors import InputError


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        InputError: there is no such file.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing; it is part of NUS-WIDE's release, which belongs in --input"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, whatever ends them, without blanks around them.

    Raises:
        InputError: there is no such file, or it is not UTF-8, of which plain ASCII is a part.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text: byte {error.start} is not UTF-8; unpack the release's file again"
        ) from None
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
