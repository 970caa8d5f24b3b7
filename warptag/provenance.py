"""Where a number comes from: code, versions, commit and machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from warptag.training.strategy import device_name


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of packages that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def code_checksum(*packages: str) -> str:
    """SHA-256 over the source files of packages or modules: changed code, changed checksum."""
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise ValueError(f"no package {package}")
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*")) if spec.submodule_search_locations else [origin]
        for path in files:
            if path.suffix in (".py", ".csv"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit of the checkout, with "+" where code differs from it; "" outside a checkout."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        result = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return result.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ":/", ":!/results")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def device() -> str:
    """The GPUs, or the processor and its number of cores."""
    name = device_name()
    if name != "CPU":
        return name
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores"
