"""What a result was made with: the versions, the code and the commit."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path


def versions(*packages: str) -> dict[str, str]:
    """The versions of Python and of the given packages."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def code_checksum(folder: Path = Path(__file__).parent) -> str:
    """The first 16 digits of the SHA-256 over the source files of a package."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit of the checkout, with "+" if files differ from it; "" outside a checkout."""

    def git(*arguments: str) -> str:
        result = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ":/", ":!/results")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
