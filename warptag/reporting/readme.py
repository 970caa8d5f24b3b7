"""The tables in the README and in some pages of the documentation, made from committed results.

    python -m warptag.reporting.readme

rewrites what is between a marker and `<!-- end of table -->`. The markers are

    <!-- table: FILE.csv -->
    <!-- verdicts: K FOLDER FOLDER ... -->
    <!-- comparisons: FOLDER CLAIM K -->
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.reporting.display import comparison_rows, result_rows, verdict_text
from warptag.reporting.markdown import markdown_table
from warptag.reporting.result_folder import TABLE_COLUMNS, Results, read_results

#: The pages with such tables.
PAGES = (
    *("README.md", "docs/baselines.md", "docs/losses.md", "docs/reproducing.md"),
    "docs/training.md",
)
_BLOCK = re.compile(
    r"(?P<marker><!-- (?P<kind>table|verdicts|comparisons): (?P<arguments>\S[^\n]*) -->)\n"
    r".*?<!-- end of table -->",
    re.DOTALL,
)


def update_tables(text: str, folder: Path) -> str:
    """The text with every marked table made from its files.

    Args:
        text: the Markdown of a page.
        folder: the folder that the paths in the markers are relative to.
    """

    def block(match: re.Match) -> str:
        made = _KINDS[match["kind"]](folder, *match["arguments"].split())
        return f"{match['marker']}\n{made}\n<!-- end of table -->"

    return _BLOCK.sub(block, text)


def _table(folder: Path, path: str) -> str:
    """A CSV file: results as a reader sees them, or every column."""
    frame = pd.read_csv(folder / path)
    if set(TABLE_COLUMNS) <= set(frame):
        return markdown_table(result_rows(frame))
    return _plain_table(frame)


def _verdicts(folder: Path, k: str, *paths: str) -> str:
    """The paper's claims, and the verdict on each in several folders of results."""
    columns: dict[str, dict[str, str]] = {}
    for path in paths:
        results = read_results(folder / path)
        claims = _claims(results)
        columns[results.name] = {
            f"{row.number}. {row.statement}": verdict_text(row.verdict, row.train_images)
            for row in claims[claims["k"] == int(k)].itertuples()
        }
    table = pd.DataFrame(columns).rename_axis(f"the paper's claim, k = {k}").fillna("")
    return markdown_table(table.reset_index(), num_texts=1 + len(paths))


def _comparisons(folder: Path, path: str, number: str, k: str) -> str:
    """The comparisons of one claim."""
    claims = _claims(read_results(folder / path))
    chosen = claims[(claims["number"] == int(number)) & (claims["k"] == int(k))]
    return markdown_table(comparison_rows(chosen))


def _claims(results: Results) -> pd.DataFrame:
    if results.claims is None:
        raise ValueError(f"the results of {results.name} judge no claim")
    return results.claims


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


_KINDS: dict[str, Callable[..., str]] = {
    "table": _table,
    "verdicts": _verdicts,
    "comparisons": _comparisons,
}

if __name__ == "__main__":
    for page in map(Path, PAGES):
        text = update_tables(page.read_text(encoding="utf-8"), Path("."))
        write_bytes(page, text.encode())
