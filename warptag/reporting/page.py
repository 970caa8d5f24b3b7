"""report.html: a folder of results as one page that needs no network and no other file.

Everything in the page comes from the files of the folder, so it can be made again at any time, and
the same files give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from tfrecords_tools.files import write_bytes
from warptag.metrics.counts import FIGURES
from warptag.reporting.charts import spread_ticks
from warptag.reporting.claims import RULE, t_interval
from warptag.reporting.evaluation import CNN_METHODS
from warptag.reporting.markdown import HEADINGS
from warptag.reporting.page_charts import (
    frequency_charts,
    method_style,
    methods_of,
    training_charts,
)
from warptag.reporting.paper import PAPER, PAPER_TABLES, paper_figures
from warptag.reporting.result_folder import ResultFolder, read_results
from warptag.reporting.training_curves import heading

PAGE = "report.html"
# What is listed, so that the page stays below 3 MB whatever the data; the page says what is not.
MAX_TAG_ROWS = 400
MAX_GALLERY_IMAGES = 60
MAX_TRUE_TAGS = 30
MAX_EPOCH_ROWS = 40
MAX_RUN_ROWS = 60
MAX_TEXT = 80
#: Columns of runs.csv that are shown, where they are there.
RUN_COLUMNS = (
    "method",
    "seed",
    "learning_rate",
    "normalization",
    "epochs",
    "batch_size",
    "seconds",
    "images_per_second",
    "device",
    "keras",
    "tensorflow",
    "commit",
)


def write_page(directory: str | os.PathLike) -> Path:
    """Write report.html from the other files of a folder of results.

    Args:
        directory: a folder that `write_results` wrote to; every file but the tables may be
            missing, and so is then what it would show.

    Returns:
        The page.

    Raises:
        InputError: the folder holds no table, or a file in it is damaged.

    Example:
        >>> write_page("results/scenes")  # doctest: +SKIP
    """
    directory = Path(directory)
    return write_bytes(directory / PAGE, render_page(read_results(directory)).encode())


def render_page(results: ResultFolder) -> str:
    """The HTML of a folder of results."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("warptag.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(signed=signed, short=short, signed_range=signed_range)
    environment.filters["with_style"] = lambda methods: [
        (name, method_style(name)) for name in methods
    ]
    loader = environment.loader
    assert loader is not None
    style = loader.get_source(environment, "report.css")[0]
    script = loader.get_source(environment, "report.js")[0]
    per_class, history = results.per_class, results.history
    k = results.summary["k"]
    return environment.get_template("report.html.j2").render(
        # Trusted: files of this package. Their hashes are all that the page may run.
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        title=results.summary["title"] or "Results",
        summary=results.summary,
        headings=HEADINGS,
        paper=PAPER,
        tables=[_table(k, table) for k, table in results.tables.items()],
        claims=[] if results.claims is None else _claims(results.claims),
        rule=RULE,
        published=[] if results.published is None else results.published.to_dict("records"),
        frequency=[] if per_class is None else frequency_charts(per_class, k),
        per_class=None if per_class is None else _per_class(per_class),
        curves=[] if history is None else training_charts(history),
        history=None if history is None else _history(history),
        gallery=None if results.gallery is None else _gallery(results.gallery),
        runs=None if results.runs is None else _runs(results.runs),
        command=results.command,
    )


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus; what rounds to zero has none.

    Example:
        >>> signed(-1.5), signed(0.25, 1), signed(-0.001)
        ('−1.50', '+0.2', '0.00')
    """
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text[1:]


def signed_range(low: float, high: float) -> str:
    """Both ends of an interval with their signs."""
    return f"{signed(low)} to {signed(high)}"


def short(text: str, length: int = MAX_TEXT) -> str:
    """The text, cut where it is longer.

    Example:
        >>> short("a long name", 7)
        'a long…'
    """
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _table(k: int, table: pd.DataFrame) -> dict[str, Any]:
    rows = []
    for row in table.to_dict("records"):
        paper = paper_figures(row["method"], k)
        cells = [
            {
                "mean": row[figure],
                "deviation": None if math.isnan(row[f"{figure}_std"]) else row[f"{figure}_std"],
                "paper": paper and paper[figure],
                "difference": paper
                and _difference(
                    row[figure] - paper[figure], row[f"{figure}_std"], int(row["seeds"])
                ),
            }
            for figure in FIGURES
        ]
        rows.append({"method": row["method"], "seeds": int(row["seeds"]), "cells": cells})
    return {
        "k": k,
        "rows": rows,
        "with_paper": k in PAPER_TABLES and any(row["cells"][0]["paper"] for row in rows),
    }


def _difference(mean: float, deviation: float, seeds: int) -> dict[str, Any]:
    """This run minus the paper, and how sure it is: the paper's side is one number."""
    interval = t_interval(mean, deviation, seeds)
    if interval is None:
        kind = "one"
        mark = "△" if mean > 0 else "▽" if mean < 0 else "="
        words = "without an interval"
    elif interval[0] > 0:
        kind, mark, words = "above", "▲", "above the paper's"
    elif interval[1] < 0:
        kind, mark, words = "below", "▼", "below the paper's"
    else:
        kind, mark, words = "open", "◆", "not told apart from the paper's"
    return {"mean": mean, "interval": interval, "kind": kind, "mark": mark, "words": words}


def _claims(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Claim by claim: the verdict at every k and the comparisons behind it."""
    claims = []
    for (number, statement), rows in table.groupby(["number", "statement"], sort=True):
        judged = [
            {
                "k": k,
                "verdict": some["verdict"].iloc[0],
                "missing": some["not_measured"].iloc[0],
                "comparisons": some.astype(object).where(some.notna(), None).to_dict("records"),
            }
            for k, some in rows.groupby("k", sort=True)
        ]
        claims.append({"number": number, "statement": statement, "judged": judged})
    return claims


def _per_class(table: pd.DataFrame) -> dict[str, Any]:
    methods = methods_of(table)
    first = table.head(MAX_TAG_ROWS)
    values = first[
        [f"{method} {figure}" for method in methods for figure in ("recall", "precision")]
    ]
    return {
        "methods": methods,
        "rows": [
            {"tag": tag, "train": train, "test": test, "values": _formatted(row)}
            for tag, train, test, row in zip(
                first["tag"],
                first["train_count"],
                first["test_count"],
                values.itertuples(index=False),
                strict=True,
            )
        ],
        "num_tags": len(table),
    }


def _formatted(values: Iterable[float]) -> list[str]:
    return ["–" if math.isnan(value) else f"{value:.1f}" for value in values]


def _history(table: pd.DataFrame) -> dict[str, Any]:
    """Means over seeds, an epoch a row."""
    names = ["loss", *(name for name in table if name.startswith("val_"))]
    means = table.groupby(["method", "epoch"], sort=False)[names].mean()
    rows = []
    for method, some in means.groupby("method", sort=False):
        for index in spread_ticks([""] * len(some), MAX_EPOCH_ROWS):
            rows.append(
                {
                    "method": method,
                    "epoch": some.index[index][1],
                    "values": [
                        f"{value:.3f}" if name.endswith("loss") else f"{100 * value:.1f}%"
                        for name, value in some.iloc[index].items()
                    ],
                }
            )
    return {"headings": ["loss", *map(heading, names[1:])], "rows": rows}


def _gallery(content: dict[str, Any]) -> dict[str, Any]:
    entries = content["images"][:MAX_GALLERY_IMAGES]
    numbers: dict[str, int] = {}
    counts: dict[str, int] = {}
    images = []
    for entry in entries:
        true = entry["true"][:MAX_TRUE_TAGS]
        shown = dict.fromkeys(
            [*true, *(tag for given in entry["given"].values() for tag, _ in given)]
        )
        given = list(entry["given"].items())
        networks = [method for method, _ in given if method in CNN_METHODS]
        for tag in shown:
            numbers.setdefault(tag, len(numbers))
            counts[tag] = counts.get(tag, 0) + 1
        images.append(
            {
                **entry,
                "true": true,
                # Networks first, the others behind a click where there are networks.
                "given": [item for item in given if item[0] in networks] or given,
                "others": [item for item in given if networks and item[0] not in networks],
                "num_more": len(entry["true"]) - len(true),
                "numbers": " ".join(str(numbers[tag]) for tag in shown),
            }
        )
    options = [(numbers[tag], tag, counts[tag]) for tag in sorted(numbers, key=_alphabetical)]
    return {
        "k": content["k"],
        "images": images,
        "options": options,
        "numbers": numbers,
    }


def _alphabetical(tag: str) -> tuple[str, str]:
    return tag.casefold(), tag


def _runs(table: pd.DataFrame) -> dict[str, Any]:
    columns = [name for name in RUN_COLUMNS if name in table]
    return {
        "columns": [name.replace("_", " ") for name in columns],
        "rows": table[columns].head(MAX_RUN_ROWS).to_numpy().tolist(),
        "num_runs": len(table),
    }
