"""The release's low-level features: `Low_Level_Features/*.dat`, text of up to 170 MB per file.

Each of the six features has a file for the images of `TrainImagelist.txt` and one for those of
`TestImagelist.txt`: a row per image in the list's order, numbers separated by blanks, no header.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfrecords_tools.errors import InputError

FOLDER = "Low_Level_Features"
# Some thousand rows, some ten megabytes in memory.
BLOCK_BYTES = 4 << 20


class Block(NamedTuple):
    """A feature, and its columns among all 1,134."""

    name: str
    description: str
    start: int
    stop: int

    @property
    def files(self) -> dict[str, str]:
        """The feature's files in the release."""
        pattern = "BoW_{}_int.dat" if self.name == "BoW" else f"{{}}_Normalized_{self.name}.dat"
        return {"train": pattern.format("Train"), "test": pattern.format("Test")}


_WIDTHS = {
    ("CH", "color histogram"): 64,
    ("CORR", "color auto-correlogram"): 144,
    ("EDH", "edge direction histogram"): 73,
    ("WT", "wavelet texture"): 128,
    ("CM55", "block-wise color moments"): 225,
    ("BoW", "bag of words of SIFT descriptors, counts"): 500,
}
BLOCKS = [
    Block(*names, stop - width, stop)
    for (names, width), stop in zip(_WIDTHS.items(), accumulate(_WIDTHS.values()), strict=True)
]
NUM_FEATURES = BLOCKS[-1].stop


def find_feature_files(input_dir: str | os.PathLike[str]) -> dict[str, int]:
    """The sizes in bytes of the twelve files, by name; InputError if some are missing."""
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
    """Reads a file block by block, without blank lines.

    Args:
        path: the file.
        num_columns: the expected number of values per row.
        num_rows: the expected number of rows.
        bar: the progress bar, advanced by the bytes read.

    Yields:
        The index of a block's first row, and the block, float32 (rows, num_columns), finite.

    Raises:
        InputError: a row has another length or a value that is not a finite number, or the number
            of rows differs; the message names file and line.
    """
    row, num_lines = 0, 0
    # Latin-1 decodes every byte, so that the line with a wrong one can be named.
    with path.open(encoding="latin-1") as file:
        while lines := file.readlines(BLOCK_BYTES):
            block = _parse(lines, num_columns)
            if block is None:
                raise InputError(f"{path}, {_what_is_wrong(lines, num_lines + 1, num_columns)}")
            if row + len(block) > num_rows:
                raise InputError(
                    f"{path} has more than {num_rows:,} rows, the length of its list of images; "
                    "unpack the release's file again"
                )
            yield row, block
            row += len(block)
            num_lines += len(lines)
            bar.update(sum(map(len, lines)))
    if row < num_rows:
        raise InputError(
            f"{path} has {row:,} rows, expected {num_rows:,} as in its list of images; is it cut "
            "off? Unpack the release's file again"
        )


def _parse(lines: list[str], num_columns: int) -> np.ndarray | None:
    """The numbers; None unless they are finite and in this number of columns."""
    text = "".join(lines)
    if text.isspace():
        return np.empty((0, num_columns), np.float32)
    # Integers, such as the bag of words, are read ten times as fast as integers.
    is_whole = not text.encode("latin-1").translate(None, b"0123456789 \t\n")
    try:
        block = np.loadtxt(lines, np.int64 if is_whole else np.float32, comments=None, ndmin=2)
    except ValueError:
        return None
    if block.shape[1] != num_columns or not np.isfinite(block).all():
        return None
    return block.astype(np.float32, copy=False)


def _what_is_wrong(lines: list[str], first: int, num_columns: int) -> str:
    """Describes the first wrong line of a block whose first line has the number `first`."""
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
