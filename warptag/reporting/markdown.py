"""tables.md: the tables, the rules they follow, and the claims judged."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from warptag.reporting import display
from warptag.reporting.claims import RULE
from warptag.reporting.paper import PAPER, PAPER_DATASET, PAPER_TABLES
from warptag.reporting.result_folder import Results


def tables_markdown(results: Results) -> str:
    """The text of tables.md: one table per k, the paper's numbers, notes, claims, settings."""
    summary = results.summary
    of_the_paper = summary["dataset"] == PAPER_DATASET
    blocks = [f"# {summary['title'] or 'Results'}"]
    warnings = [display.SYNTHETIC] if summary["synthetic"] else []
    warnings += [] if of_the_paper else [display.OTHER_DATA]
    blocks += [f"> **{' '.join(warnings)}**"] if warnings else []
    for k, table in results.tables.items():
        rows = display.result_rows(table)
        caption = display.IN_PERCENT
        if of_the_paper and k in PAPER_TABLES:
            caption += f" Columns in italics: {PAPER}."
            paper = display.paper_rows(k).set_index("method").map("*{}*".format)
            paper = paper.rename(columns="*paper: {}*".format)
            rows = rows.join(paper, on="method").fillna("")
        if display.has_pretrained(table):
            caption += f" {display.PRETRAINED}"
        blocks += [f"## {k} {'tag' if k == 1 else 'tags'} per image", caption]
        blocks += [markdown_table(rows), display.identity_line(k, table)]
    if results.published is not None:
        rows = display.published_rows(results.published)
        blocks += ["## Published results", display.PUBLISHED, markdown_table(rows, num_texts=2)]
    blocks += ["## Notes", _bullets(summary["notes"])]
    for heading, claims in (
        (display.CLAIMS, results.claims),
        (display.PRETRAINED_CLAIMS, results.pretrained_claims),
    ):
        if claims is not None and len(claims):
            blocks += _claims(heading, claims)
    if not of_the_paper:
        blocks += [f"## The paper's numbers: {PAPER}"]
        for k in PAPER_TABLES.keys() & results.tables.keys():
            blocks += [f"k = {k}, in percent:", markdown_table(display.paper_rows(k))]
    if summary["settings"]:
        blocks += ["## Settings", _bullets(summary["settings"])]
    return "\n\n".join(blocks) + "\n"


def markdown_table(frame: pd.DataFrame, num_texts: int = 1) -> str:
    """A frame of text as a Markdown table.

    Args:
        frame: the cells, as text.
        num_texts: the number of first columns that are texts, on the left; the others are numbers.
    """
    num_numbers = len(frame.columns) - num_texts
    rule = ["---"] * num_texts + ["---:"] * num_numbers
    rows = [list(frame), rule, *frame.itertuples(index=False, name=None)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _claims(heading: str, claims: pd.DataFrame) -> list[str]:
    blocks = [f"## {heading}", RULE]
    verdicts = {
        f"k = {k}": {
            f"{row.number}. {row.statement}": display.verdict_text(row.verdict, row.train_images)
            for row in rows.itertuples()
        }
        for k, rows in claims.groupby("k")
    }
    table = pd.DataFrame(verdicts).rename_axis("claim").fillna("")
    blocks.append(markdown_table(table.reset_index()))
    for (k, number), rows in claims.groupby(["k", "number"]):
        blocks.append(f"### Claim {number}, k = {k}")
        if missing := rows["not_measured"].iloc[0]:
            blocks.append(f"Not measured in this run: {missing}.")
        blocks.append(markdown_table(display.comparison_rows(rows)))
    return blocks


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
