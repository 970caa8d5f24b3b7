"""A folder of results read back, each file checked, for the report page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json
from warptag.metrics.counts import FIGURES
from warptag.reporting.page_data import CLAIM_COLUMNS

_TABLE = re.compile(r"table_k([1-9][0-9]*)\.csv")
_CLAIM_NUMBERS = ("k", "number", "mean", "low", "high", "seeds", "paper")
_CLAIM_TEXTS = tuple(name for name in CLAIM_COLUMNS if name not in _CLAIM_NUMBERS)


@dataclass(frozen=True)
class ResultFolder:
    """What `write_results` wrote; only the tables must be there.

    Attributes:
        tables: k -> table_k<k>.csv, by rising k.
        summary: summary.json: title, synthetic, comparable, k, notes, settings.
        claims: claims.csv, or None.
        per_class: per_class.csv, or None.
        history: history.csv, or None.
        runs: runs.csv, as text, or None.
        published: published_k5.csv, or None.
        gallery: gallery.json, or None.
        command: command.txt; "" without it.
    """

    tables: dict[int, pd.DataFrame]
    summary: dict[str, Any]
    claims: pd.DataFrame | None
    per_class: pd.DataFrame | None
    history: pd.DataFrame | None
    runs: pd.DataFrame | None
    published: pd.DataFrame | None
    gallery: dict[str, Any] | None
    command: str


def table_paths(directory: Path) -> dict[int, Path]:
    """The tables in a folder: k -> path, by rising k."""
    found = ((_TABLE.fullmatch(path.name), path) for path in directory.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def read_results(directory: Path) -> ResultFolder:
    """Read a folder of results.

    Raises:
        InputError: it holds no table, or a file in it is damaged.
    """
    paths = table_paths(directory)
    if not paths:
        raise InputError(f"{directory} holds no table_k<k>.csv, so there are no results to show")
    deviations = [f"{figure}_std" for figure in FIGURES]
    command = directory / "command.txt"
    return ResultFolder(
        tables={
            k: _table(path, ["method"], ["seeds", *FIGURES, *deviations])
            for k, path in paths.items()
        },
        summary=_summary(directory / "summary.json", min(paths)),
        claims=_optional(directory / "claims.csv", _CLAIM_TEXTS, _CLAIM_NUMBERS),
        per_class=_optional(directory / "per_class.csv", ["tag"], ["train_count", "test_count"]),
        history=_optional(directory / "history.csv", ["method"], ["seed", "epoch", "loss"]),
        runs=_runs(directory / "runs.csv"),
        published=_optional(
            directory / "published_k5.csv", ["method", "source"], ["precision", "recall", "n_plus"]
        ),
        gallery=_gallery(directory / "gallery.json"),
        command=command.read_text(encoding="utf-8", errors="replace").strip()
        if command.exists()
        else "",
    )


def _optional(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame | None:
    table = _table(path, texts, numbers) if path.exists() else None
    return None if table is None or table.empty else table


def _table(path: Path, texts: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """A CSV file with these columns and maybe more; a text such as "nan" stays text."""
    try:
        table = pd.read_csv(path, converters=dict.fromkeys(texts, str))
    except (ValueError, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error
    missing = [name for name in (*texts, *numbers) if name not in table]
    if missing:
        raise _damaged(path, f"it has no column {missing[0]}")
    others = [name for name in table if str(name).endswith((" recall", " precision"))]
    others += [name for name in table if str(name).startswith("val_")]
    for name in (*numbers, *others):
        if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise _damaged(path, f"the column {name} must hold numbers")
    if "seeds" in numbers and table["seeds"].isna().any():
        raise _damaged(path, "the column seeds must hold numbers")
    for name in others:
        pair = str(name).removesuffix(" recall") + " precision"
        if str(name).endswith(" recall") and pair not in table:
            raise _damaged(path, f"it has no column {pair}")
    return table


def _runs(path: Path) -> pd.DataFrame | None:
    """Every setting as it is written."""
    table = _optional(path, ["method"], [])
    return table if table is None else pd.read_csv(path, dtype=str, keep_default_na=False)


def _summary(path: Path, k: int) -> dict[str, Any]:
    """Folders of before there were pages have none; what it would say is then left open."""
    empty: dict[str, Any] = {
        "title": "",
        "synthetic": False,
        "comparable": False,
        "k": k,
        "notes": [],
        "settings": [],
    }
    if not path.exists():
        return empty
    content = read_json(path)
    if not isinstance(content, dict) or any(
        not isinstance(content.get(name), type(value)) for name, value in empty.items()
    ):
        raise _damaged(path, f"it must be JSON with {', '.join(empty)}")
    return content


def _gallery(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    content = read_json(path)
    try:
        whole = isinstance(content["k"], int) and all(
            isinstance(entry["row"], int)
            and isinstance(entry["jpeg"], str)
            and all(isinstance(tag, str) for tag in entry["true"])
            and all(
                isinstance(tag, str) and isinstance(right, bool)
                for given in entry["given"].values()
                for tag, right in given
            )
            for entry in content["images"]
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise _damaged(path, "it must be JSON as `warptag report` writes it")
    return content if content["images"] else None


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be read ({reason}); make the results again, or remove the file to have a "
        "page without it"
    )
