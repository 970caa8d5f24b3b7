"""Types of options that the commands share. Each refuses what no command can use."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click


class Number(click.FloatRange):
    """A number in a range; unlike `click.FloatRange`, it refuses NaN and infinity.

    Example:
        >>> Number(0, 1).convert("0.5", None, None)
        0.5
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class NonEmptyPath(click.Path):
    """The path of a file or folder; unlike `click.Path`, it refuses the empty string.

    `pathlib` takes the empty string for the current folder, into which a command would then write.

    Example:
        >>> NonEmptyPath(path_type=Path).convert("photos", None, None)
        PosixPath('photos')
    """

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if not os.fspath(value):
            self.fail("the path is empty; the current folder is written as a dot.", param, ctx)
        return super().convert(value, param, ctx)


PATH = NonEmptyPath(path_type=Path)
OUTPUT_FILE = NonEmptyPath(path_type=Path, dir_okay=False)
FOLDER = NonEmptyPath(path_type=Path, exists=True, file_okay=False)

#: What all random number generators take.
SEED = click.IntRange(0, 2**32 - 1)
#: Processes on one machine.
WORKERS = click.IntRange(1, 1024)
#: Tags per image.
TOP_K = click.IntRange(1, 1_000_000)
SHARE = Number(0, 1)
OPEN_SHARE = Number(0, 1, min_open=True, max_open=True)
