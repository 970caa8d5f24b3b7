"""The release's low-level features: `Low_Level_Features/*.dat`, text of up to 170 MB per file.

Each of the six features has a file for the images of `TrainImagelist.txt` and one for those of
`TestImagelist.txt`: a row per image in the list's order, numbers separated by blanks, no header.
"""

from __future__ import annotations

import os
import warnings
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfrecords_tools.errors import InputError

FOLDER = "Low_Level_Features"


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


def read_rows(path: Path, num_columns: int, num_rows: int) -> np.ndarray:
    """Reads a file, without blank lines, as float32 (num_rows, num_columns).

    Raises:
        InputError: the file has another shape or a value that is not a finite number.
    """
    # Integers, as in the bag of words, are parsed ten times as fast as integers.
    dtype = np.int32 if path.name.startswith("BoW") else np.float32
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an empty file
            rows = np.loadtxt(path, dtype, comments=None, ndmin=2, encoding="latin-1")
        rows = rows.astype(np.float32, copy=False)
        if rows.shape != (num_rows, num_columns):
            raise ValueError(f"found {rows.shape[0]:,} rows of {rows.shape[1]} values")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ValueError(f"found {rows[row, column]} at row {row + 1}, column {column + 1}")
    except ValueError as error:
        # NumPy's own messages name the row too.
        raise InputError(
            f"{path}: expected {num_rows:,} rows, as in the list of images, of {num_columns} "
            f"finite numbers; {error}; is the file cut off? Unpack the release's file again"
        ) from error
    return rows
