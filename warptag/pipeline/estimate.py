"""Estimates of time, disk space and memory, and what this machine has of them."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Estimate(NamedTuple):
    """What one step of an experiment takes; `str` gives it as text.

    Attributes:
        step: the name of the step.
        what: what it consists of, and what the estimate was measured on.
        seconds: the time.
        disk: the bytes written to the output folder.
        memory: the bytes of memory that the process needs up to the end of the step.
    """

    step: str
    what: str
    seconds: float = 0
    disk: float = 0
    memory: float = 0

    def __str__(self) -> str:
        disk, memory = size_text(self.disk), size_text(self.memory)
        return f"{self.step}: {_time(self.seconds)}; disk {disk}; memory {memory}\n    {self.what}"


def total(steps: Sequence[Estimate], output: Path) -> str:
    """The sum of the steps beside what this machine has, with a warning for what does not fit."""
    seconds, disk = sum(step.seconds for step in steps), sum(step.disk for step in steps)
    memory = max(step.memory for step in steps)
    parents = (output.absolute(), *output.absolute().parents)
    folder = next(parent for parent in parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    text = (
        f"In all, estimated: {_time(seconds)}; disk {size_text(disk)} of {size_text(free)} "
        f"free in {folder}; memory {size_text(memory)} of {size_text(installed)}"
    )
    if disk > free:
        text += f"\nWarning: {size_text(disk - free)} too little disk space in {folder}"
    if memory > installed:
        text += f"\nWarning: {size_text(memory - installed)} too little memory"
    return text


def peak_memory() -> int:
    """The largest memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"


def size_text(num_bytes: float) -> str:
    """A number of bytes in megabytes or gigabytes."""
    return f"{num_bytes / 1e9:,.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:,.1f} MB"
