"""The tables in the README and in some pages of the documentation, made from CSV files.

    python -m warptag.reporting.readme

rewrites what is between `<!-- table: PATH -->` and `<!-- end of table -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.reporting.display import result_rows
from warptag.reporting.markdown import markdown_table
from warptag.reporting.result_folder import TABLE_COLUMNS

#: The pages with such tables.
PAGES = (
    *("README.md", "docs/baselines.md", "docs/losses.md", "docs/reproducing.md"),
    "docs/training.md",
)
_BLOCK = re.compile(r"<!-- table: (\S+\.csv) -->\n.*?<!-- end of table -->", re.DOTALL)


def update_tables(text: str, folder: Path) -> str:
    """The text with every marked table made from its file.

    Args:
        text: the Markdown of a page.
        folder: the folder that the paths in the markers are relative to.
    """

    def table(match: re.Match) -> str:
        path = match[1]
        frame = pd.read_csv(folder / path)
        if set(TABLE_COLUMNS) <= set(frame):
            lines = markdown_table(result_rows(frame))
        else:
            lines = _plain_table(frame)
        return f"<!-- table: {path} -->\n{lines}\n<!-- end of table -->"

    return _BLOCK.sub(table, text)


def _plain_table(frame: pd.DataFrame) -> str:
    """Every column, texts on the left and numbers on the right, those from 1 with one decimal."""
    cells = {}
    for name in frame:
        column = frame[name]
        if pd.api.types.is_float_dtype(column):
            cells[name] = [f"{cell:.1f}" if abs(cell) >= 1 else f"{cell:g}" for cell in column]
        else:
            cells[name] = column.astype(str).tolist()
    num_texts = sum(not pd.api.types.is_numeric_dtype(frame[name]) for name in frame)
    shown = pd.DataFrame(cells).rename(columns=lambda name: name.replace("_", " "))
    return markdown_table(shown, num_texts)


if __name__ == "__main__":
    for page in map(Path, PAGES):
        text = update_tables(page.read_text(encoding="utf-8"), Path("."))
        write_bytes(page, text.encode())
