"""The release's low-level features: `Low_Level_Features/*.dat`, text of up to some 170 MB a file.

Each of the six features has a file for the images of `TrainImagelist.txt` and one for those of
`TestImagelist.txt`: a row an image in the list's order, numbers between blanks, no header.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.errors import InputError

FOLDER = "Low_Level_Features"
# Some thousand rows, some ten megabytes in memory.
BLOCK_BYTES = 4 << 20


class Block(NamedTuple):
    """A feature: its columns among all 1,134, and its files in the release."""

    name: str
    description: str
    start: int
    stop: int
    files: dict[str, str]


def _blocks() -> list[Block]:
    blocks = []
    start = 0
    for name, description, width in (
        ("CH", "color histogram", 64),
        ("CORR", "color auto-correlogram", 144),
        ("EDH", "edge direction histogram", 73),
        ("WT", "wavelet texture", 128),
        ("CM55", "block-wise color moments", 225),
        ("BoW", "bag of words of SIFT descriptors, counts", 500),
    ):
        pattern = "BoW_{}_int.dat" if name == "BoW" else f"{{}}_Normalized_{name}.dat"
        files = {"train": pattern.format("Train"), "test": pattern.format("Test")}
        blocks.append(Block(name, description, start, start + width, files))
        start += width
    return blocks


BLOCKS = _blocks()
NUM_FEATURES = BLOCKS[-1].stop


def find_feature_files(input_dir: str | os.PathLike[str]) -> dict[str, int]:
    """The sizes in bytes of the twelve files, by name.

    Raises:
        InputError: some of them are missing.
    """
    folder = Path(input_dir) / FOLDER
    files = [file for block in BLOCKS for file in block.files.values()]
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise InputError(
            f"{folder} lacks {len(missing)} of the {len(files)} feature files: "
            f"{', '.join(missing)}; unpack the release's low-level features into it"
        )
    return {file: (folder / file).stat().st_size for file in files}


def read_rows(
    path: Path, num_columns: int, num_rows: int, bar: tqdm
) -> Iterator[tuple[int, np.ndarray]]:
    """Reads a file block by block; blank lines do not count.

    Args:
        path: the file.
        num_columns: the expected number of values a row.
        num_rows: the expected number of rows.
        bar: advanced by the bytes read.

    Yields:
        The index of a block's first row, and the block, float32 (rows, num_columns), finite.

    Raises:
        InputError: a row of another length, something that is not a finite number, or another
            number of rows; the message names file and line.
    """
    row, num_lines = 0, 0
    # Latin-1 takes every byte, so that the line with a wrong one can be named.
    with path.open(encoding="latin-1") as file:
        while lines := file.readlines(BLOCK_BYTES):
            block = _parse(lines, num_columns)
            if block is None:
                raise InputError(f"{path}, {_what_is_wrong(lines, num_lines + 1, num_columns)}")
            if row + len(block) > num_rows:
                raise InputError(
                    f"{path} has more rows than the {num_rows:,} images of its list; "
                    "unpack the release's file again"
                )
            yield row, block
            row += len(block)
            num_lines += len(lines)
            bar.update(sum(map(len, lines)))
    if row < num_rows:
        raise InputError(
            f"{path} has {row:,} rows, expected {num_rows:,}, as its list of images has; "
            "is it cut off? Unpack the release's file again"
        )


def _parse(lines: list[str], num_columns: int) -> np.ndarray | None:
    """The numbers, or None when they are not finite numbers in so many columns."""
    text = "".join(lines)
    if text.isspace():
        return np.empty((0, num_columns), np.float32)
    # Whole numbers, as the bag of words has, are read ten times as fast as such.
    is_whole = not text.encode("latin-1").translate(None, b"0123456789 \t\n")
    try:
        block = np.loadtxt(lines, np.int64 if is_whole else np.float32, comments=None, ndmin=2)
    except ValueError:
        return None
    if block.shape[1] != num_columns or not np.isfinite(block).all():
        return None
    return block.astype(np.float32, copy=False)


def _what_is_wrong(lines: list[str], first: int, num_columns: int) -> str:
    """Names the first wrong line of a block; `first` is its first line's number."""
    number, line = next(
        (number, line)
        for number, line in enumerate(lines, first)
        if _parse([line], num_columns) is None
    )
    values = line.split()
    if len(values) != num_columns:
        return f"line {number}: expected {num_columns} columns, found {len(values)}"
    wrong = next(value for value in values if _parse([value], 1) is None)
    return f"line {number}: expected finite numbers, found {wrong[:40]!r}"
