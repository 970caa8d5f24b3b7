"""The tables in the README and in some pages of docs, made from CSV files.

    python -m warptag.reporting.readme

rewrites what stands between `<!-- table: PATH -->` and `<!-- end of table -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.metrics.counts import FIGURES
from warptag.reporting.markdown import HEADINGS

#: What is rewritten.
PAGES = ("README.md", "docs/baselines.md", "docs/reproducing.md", "docs/training.md")
_BLOCK = re.compile(r"<!-- table: (\S+\.csv) -->\n.*?<!-- end of table -->", re.DOTALL)


def update_tables(text: str, folder: Path) -> str:
    """The text with every marked table made anew.

    Args:
        text: Markdown.
        folder: what the paths in the markers are relative to.
    """

    def table(match: re.Match) -> str:
        path = match[1]
        frame = pd.read_csv(folder / path)
        with_deviations = f"{FIGURES[0]}_std" in frame
        lines = _result_lines(frame) if with_deviations else _plain_lines(frame)
        return f"<!-- table: {path} -->\n" + "\n".join(lines) + "\n<!-- end of table -->"

    return _BLOCK.sub(table, text)


def _result_lines(frame: pd.DataFrame) -> list[str]:
    header = "| method | " + " | ".join(HEADINGS) + " |"
    return [
        header,
        "| --- |" + " ---: |" * len(FIGURES),
        *(_row(row) for _, row in frame.iterrows()),
    ]


def _row(row: pd.Series) -> str:
    cells = []
    for name in FIGURES:
        deviation = row[f"{name}_std"]
        cell = f"{row[name]:.2f}"
        cells.append(cell + ("" if pd.isna(deviation) else f" ± {deviation:.2f}"))
    return f"| {row['method']} | " + " | ".join(cells) + " |"


def _plain_lines(frame: pd.DataFrame) -> list[str]:
    """Every column, texts on the left and numbers on the right, those from 1 with one decimal."""
    numbers = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame]
    rule = "| " + " | ".join("---:" if number else "---" for number in numbers) + " |"
    lines = ["| " + " | ".join(name.replace("_", " ") for name in frame) + " |", rule]
    for row in frame.itertuples(index=False):
        cells = [
            f"{cell:{'.1f' if abs(cell) >= 1 else 'g'}}" if isinstance(cell, float) else str(cell)
            for cell in row
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    for page in map(Path, PAGES):
        text = update_tables(page.read_text(encoding="utf-8"), Path("."))
        write_bytes(page, text.encode())
