"""report.html: a folder of results as one page that needs no network and no other file.

Everything in the page comes from the files of the folder, so it can be made again at any time, and
the same files give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from tfrecords_tools.files import write_bytes
from warptag.methods import METHODS
from warptag.reporting import display
from warptag.reporting.charts import Chart, image_bytes, seeds_text, shorten
from warptag.reporting.claims import RULE, t_interval
from warptag.reporting.evaluation import METRICS
from warptag.reporting.paper import PAPER, PAPER_DATASET, PAPER_TABLES, paper_metrics
from warptag.reporting.report import charts
from warptag.reporting.result_folder import Results, read_results

PAGE = "report.html"
# The page lists no more than this, to stay below 3 MB whatever the data, and says so.
MAX_TAG_ROWS = 400
MAX_GALLERY_IMAGES = 60
MAX_TRUE_TAGS = 30
MAX_EPOCH_ROWS = 40
MAX_RUN_ROWS = 60
MAX_TEXT = 120
#: Columns of runs.csv that are shown if the file has them.
RUN_COLUMNS = (
    *("method", "seed", "learning_rate", "normalization", "epochs", "batch_size", "seconds"),
    *("images_per_second", "device", "keras", "tensorflow", "commit"),
)


def write_page(directory: str | os.PathLike) -> Path:
    """Write report.html from the other files of a folder of results.

    Args:
        directory: a folder that `write_results` wrote to. Only the tables must be there; the page
            leaves out what other missing files would show.

    Returns:
        The path of the page.

    Raises:
        InputError: the folder contains no table, or a file in it is damaged.

    Example:
        >>> write_page("results/scenes")  # doctest: +SKIP
    """
    directory = Path(directory)
    return write_bytes(directory / PAGE, render_page(read_results(directory)).encode())


def render_page(results: Results) -> str:
    """The HTML of a folder of results."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("warptag.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(signed=display.signed, short=_short, data_url=_data_url)
    environment.filters["seeds"] = lambda count: seeds_text({count})
    loader = environment.loader
    assert loader is not None
    style, script, more_style = (
        loader.get_source(environment, name)[0]
        for name in ("report.css", "report.js", "label_errors.css")
    )
    style += more_style if results.label_errors else ""
    summary, per_class, history = results.summary, results.per_class, results.history
    of_the_paper = summary["dataset"] == PAPER_DATASET
    return environment.get_template("report.html.j2").render(
        # Trusted: files of this package. Their hashes are all that the page may run.
        style=Markup(style),
        script=Markup(script),
        style_hash=_base64(hashlib.sha256(style.encode()).digest()),
        script_hash=_base64(hashlib.sha256(script.encode()).digest()),
        title=summary["title"] or "Results",
        summary=summary,
        text=display,
        metrics=list(METRICS.values()),
        paper=PAPER,
        of_the_paper=of_the_paper,
        tables=[_table(k, table, of_the_paper) for k, table in results.tables.items()],
        paper_tables={k: display.paper_rows(k) for k in results.tables if k in PAPER_TABLES},
        claims=_claim_sections(results),
        rule=RULE,
        published=results.published,
        charts=charts(results),
        per_class=None if per_class is None else display.per_class_rows(per_class, MAX_TAG_ROWS),
        num_tags=0 if per_class is None else len(per_class),
        history=None if history is None else display.history_rows(history, MAX_EPOCH_ROWS),
        gallery=None if results.gallery is None else _gallery(results.gallery),
        label_errors=results.label_errors,
        max_true_tags=MAX_TRUE_TAGS,
        runs=None if results.runs is None else _runs(results.runs),
        num_runs=0 if results.runs is None else len(results.runs),
        command=results.command,
    )


def _short(text: object, max_length: int = MAX_TEXT) -> str:
    return shorten(str(text), max_length)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _data_url(chart: Chart) -> str:
    """As an image, an SVG can neither run a script nor share identifiers with the page."""
    return f"data:image/svg+xml;base64,{_base64(image_bytes(chart.figure, 'svg'))}"


def _table(k: int, table: pd.DataFrame, of_the_paper: bool) -> dict[str, Any]:
    ids = {method.label: method.id for method in METHODS}
    rows = []
    for row, (_, *texts) in zip(
        table.to_dict("records"), display.result_rows(table).itertuples(index=False), strict=True
    ):
        paper = paper_metrics(ids.get(row["method"], ""), k) if of_the_paper else None
        cells = []
        for name, text in zip(METRICS, texts, strict=True):
            cell = {"text": text, "paper": None}
            if paper:
                difference = row[name] - paper[name]
                cell["paper"] = paper[name]
                cell["difference"] = _difference(difference, row[f"{name}_std"], int(row["seeds"]))
            cells.append(cell)
        rows.append({"method": row["method"], "seeds": int(row["seeds"]), "cells": cells})
    return {
        "k": k,
        "rows": rows,
        "pretrained": display.has_pretrained(table),
        "with_paper": any(cell["paper"] for row in rows for cell in row["cells"]),
        "check": display.identity_line(k, table),
    }


def _difference(mean: float, deviation: float, seeds: int) -> dict[str, Any]:
    """This run minus the paper, and how certain it is: the paper's side is one number."""
    interval = t_interval(mean, deviation, seeds)
    if interval is None:
        kind, words = "one", "without an interval"
        mark = "△" if mean > 0 else "▽" if mean < 0 else "="
    elif interval[0] > 0:
        kind, mark, words = "above", "▲", "above the paper's"
    elif interval[1] < 0:
        kind, mark, words = "below", "▼", "below the paper's"
    else:
        kind, mark, words = "open", "◆", "not distinguishable from the paper's"
    return {"mean": mean, "interval": interval, "kind": kind, "mark": mark, "words": words}


def _claim_sections(results: Results) -> list[dict[str, Any]]:
    """The claims judged for the paper's networks, then for the pretrained ones, if any are."""
    sections = (
        ("claims", display.CLAIMS, "", results.claims),
        ("pretrained-claims", display.PRETRAINED_CLAIMS, ", pretrained", results.pretrained_claims),
    )
    return [
        # Trusted: the headings of this package.
        {"id": name, "heading": Markup(heading), "suffix": suffix, "claims": _claims(table)}
        for name, heading, suffix, table in sections
        if table is not None
    ]


def _claims(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each claim with its verdict at every k and the comparisons behind it."""
    claims = []
    for number, of_claim in table.groupby("number"):
        judged = []
        for k, rows in of_claim.groupby("k"):
            first = rows.iloc[0]
            judged.append(
                {
                    "k": k,
                    "verdict": first["verdict"],
                    "text": display.verdict_text(first["verdict"], first["train_images"]),
                    "missing": first["not_measured"],
                    "rows": display.comparison_rows(rows),
                }
            )
        statement = of_claim["statement"].iloc[0]
        claims.append({"number": number, "statement": statement, "judged": judged})
    return claims


def _runs(table: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in RUN_COLUMNS if name in table]
    return table[columns].head(MAX_RUN_ROWS).rename(columns=lambda name: name.replace("_", " "))


def _gallery(content: dict[str, Any]) -> dict[str, Any]:
    """The images with their tags, networks before other methods; every tag has a number."""
    networks = {method.label for method in METHODS if method.kind == "network"}
    numbers: dict[str, int] = {}
    counts: dict[str, int] = {}
    images = []
    for entry in content["images"][:MAX_GALLERY_IMAGES]:
        true, given = entry["true"][:MAX_TRUE_TAGS], entry["given"]
        shown = dict.fromkeys([*true, *(tag for tags in given.values() for tag, _ in tags)])
        for tag in shown:
            numbers.setdefault(tag, len(numbers))
            counts[tag] = counts.get(tag, 0) + 1
        # The other methods are behind a click if there are networks.
        first = {method: tags for method, tags in given.items() if method in networks} or given
        others = {method: tags for method, tags in given.items() if method not in first}
        images.append(
            entry
            | {"true": true, "given": first, "others": others}
            | {"num_more": len(entry["true"]) - len(true)}
            | {"numbers": " ".join(str(numbers[tag]) for tag in shown)}
        )
    tags = sorted(numbers, key=lambda tag: (tag.casefold(), tag))
    options = [(numbers[tag], tag, counts[tag]) for tag in tags]
    return {"k": content["k"], "images": images, "options": options, "numbers": numbers}
