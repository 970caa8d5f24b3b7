"""The tables in the README, made from `results/*/table_k*.csv`.

    python -m warptag.reporting.readme

rewrites what stands between `<!-- table: PATH -->` and `<!-- end of table -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from warptag.files import write_bytes
from warptag.metrics.counts import FIGURES
from warptag.reporting.markdown import HEADINGS

_BLOCK = re.compile(r"<!-- table: (\S+\.csv) -->\n.*?<!-- end of table -->", re.DOTALL)


def update_tables(text: str, folder: Path) -> str:
    """The text with every marked table made anew.

    Args:
        text: Markdown.
        folder: what the paths in the markers are relative to.
    """

    def table(match: re.Match) -> str:
        path = match[1]
        rows = [_row(row) for _, row in pd.read_csv(folder / path).iterrows()]
        header = "| method | " + " | ".join(HEADINGS) + " |"
        lines = [header, "| --- |" + " ---: |" * len(FIGURES), *rows]
        return f"<!-- table: {path} -->\n" + "\n".join(lines) + "\n<!-- end of table -->"

    return _BLOCK.sub(table, text)


def _row(row: pd.Series) -> str:
    cells = []
    for name in FIGURES:
        deviation = row[f"{name}_std"]
        cell = f"{row[name]:.2f}"
        cells.append(cell + ("" if pd.isna(deviation) else f" ± {deviation:.2f}"))
    return f"| {row['method']} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    readme = Path("README.md")
    write_bytes(readme, update_tables(readme.read_text(encoding="utf-8"), Path(".")).encode())
