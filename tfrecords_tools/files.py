"""Writing a file whole or not at all."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_PREFIX = ".partial-"


@contextmanager
def write_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path beside `path`; the file there becomes `path` when the block ends.

    If the block raises an exception or is killed, `path` is as it was before.

    Args:
        path: the file to write. Its folder is made if it does not exist.

    Example:
        >>> with write_whole("table.csv") as temporary:
        ...     _ = temporary.write_text("a,b")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unique, since several processes or machines may write the same file. The suffix is kept,
    # since some writers choose the format by it.
    temporary = path.with_name(f"{_PREFIX}{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield temporary
        # Without it a power cut may leave an empty file under the final name.
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        # An error here, as when a file is in the folder's place, would hide the first one.
        with suppress(OSError):
            temporary.unlink()


def remove_partial(folder: str | os.PathLike) -> None:
    """Removes the temporary files that killed processes left in a folder."""
    for path in Path(folder).glob(f"{_PREFIX}*"):
        path.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike, content: bytes) -> Path:
    """Writes bytes whole or not at all."""
    with write_whole(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def read_json(path: str | os.PathLike) -> Any:
    """The content of a JSON file; None if the file does not exist or is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: str | os.PathLike, content: Any) -> Path:
    """Writes indented JSON, whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    # What UTF-8 cannot hold, such as bytes of a file name, becomes JSON's own escape.
    return write_bytes(path, text.encode(errors="backslashreplace"))
