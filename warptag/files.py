"""Writing a file whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: str | os.PathLike, write: Callable[[Path], Any]) -> Path:
    """Let `write` write under a temporary name beside `path`, then rename it into place."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, since some writers choose the format by it.
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        write(temporary)
        # Without it a power cut may leave an empty file under the final name.
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_bytes(path: str | os.PathLike, content: bytes) -> Path:
    """Write bytes whole or not at all."""
    return write_whole(path, lambda temporary: temporary.write_bytes(content))


def read_json(path: str | os.PathLike) -> Any:
    """What a JSON file holds; None where there is none or it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: str | os.PathLike, content: Any) -> Path:
    """Write JSON, indented, whole or not at all."""
    return write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())
