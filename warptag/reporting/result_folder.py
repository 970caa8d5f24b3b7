"""What a folder of results holds as data; tables.md, charts and page are made from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.typed_json import Count, Positive, read_as
from warptag.reporting.claims import COLUMNS as CLAIM_COLUMNS
from warptag.reporting.evaluation import METRICS

_TABLE = re.compile(r"table_k([1-9][0-9]*)\.csv")
#: Columns of text; all others of a CSV file must hold numbers. A text such as "nan" stays text.
_TEXTS = (
    *("method", "tag", "source"),
    *("statement", "verdict", "not_measured", "comparison", "outcome"),
)
TABLE_COLUMNS = ("method", "seeds", *METRICS, *(f"{name}_std" for name in METRICS))

_FIX = "write the results again, or remove the file to get a page without it"


class _Summary(TypedDict):
    """The content of summary.json."""

    title: str
    dataset: str
    synthetic: bool
    k: Positive
    notes: list[str]
    settings: list[str]


class _GalleryImage(TypedDict):
    row: Count
    jpeg: str
    true: list[str]
    given: dict[str, list[tuple[str, bool]]]


class _Gallery(TypedDict):
    """The content of gallery.json."""

    k: Positive
    images: list[_GalleryImage]


class _Disagreement(TypedDict):
    row: Count
    name: str
    jpeg: str
    tag: str
    value: float
    true: list[str]
    given: list[tuple[str, bool]]


class _LabelErrors(TypedDict):
    """The content of label_errors.json."""

    method: str
    calibrated: bool
    missing: list[_Disagreement]
    wrong: list[_Disagreement]


@dataclass(frozen=True)
class Results:
    """The data of a folder of results; only the tables are always there.

    Args:
        tables: k -> table_k<k>.csv, by rising k.
        summary: summary.json: `title`, `dataset`, `synthetic`, the `k` of per_class.csv, `notes`
            and `settings`.
        claims: claims.csv, or None.
        pretrained_claims: claims_pretrained.csv, or None.
        per_class: per_class.csv, or None.
        history: history.csv, or None.
        reliability: reliability.csv, or None.
        published: published_k5.csv, or None.
        gallery: gallery.json, or None.
        label_errors: label_errors.json, or None.
        runs: runs.csv, as text, or None.
        command: the text of command.txt; "" without it.
    """

    tables: dict[int, pd.DataFrame]
    summary: dict[str, Any]
    claims: pd.DataFrame | None = None
    pretrained_claims: pd.DataFrame | None = None
    per_class: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    reliability: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    gallery: dict[str, Any] | None = None
    label_errors: dict[str, Any] | None = None
    runs: pd.DataFrame | None = None
    command: str = ""

    @property
    def name(self) -> str:
        """The name of the data for headings, with a warning if it is synthetic."""
        title = self.summary["title"] or "unnamed data"
        return f"{title} (synthetic)" if self.summary["synthetic"] else title


def table_paths(directory: Path) -> dict[int, Path]:
    """The tables in a folder of results.

    Args:
        directory: the folder.

    Returns:
        k -> path, by rising k.

    Example:
        >>> table_paths(Path("."))
        {}
    """
    found = ((_TABLE.fullmatch(path.name), path) for path in directory.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def read_results(directory: Path) -> Results:
    """Read a folder of results.

    Raises:
        InputError: it contains no table, or a file in it is damaged.
    """
    paths = table_paths(directory)
    if not paths:
        raise InputError(f"{directory} contains no table_k<k>.csv, so there are no results to show")
    command, runs = directory / "command.txt", directory / "runs.csv"
    epochs = ("method", "seed", "epoch", "loss")
    bins = ("method", "probability", "share", "pairs")
    published = ("method", "source", "precision", "recall", "n_plus")
    return Results(
        tables={k: _read(path, TABLE_COLUMNS) for k, path in paths.items()},
        summary=_summary(directory / "summary.json", min(paths)),
        claims=_optional(directory / "claims.csv", CLAIM_COLUMNS),
        pretrained_claims=_optional(directory / "claims_pretrained.csv", CLAIM_COLUMNS),
        per_class=_optional(directory / "per_class.csv", ("tag", "train_count", "test_count")),
        history=_optional(directory / "history.csv", epochs),
        reliability=_optional(directory / "reliability.csv", bins),
        published=_optional(directory / "published_k5.csv", published),
        gallery=_gallery(directory / "gallery.json"),
        label_errors=_label_errors(directory / "label_errors.json"),
        runs=_text(runs) if runs.exists() else None,
        command=command.read_text("utf-8", errors="replace").strip() if command.exists() else "",
    )


def _optional(path: Path, columns: Sequence[str]) -> pd.DataFrame | None:
    table = _read(path, columns) if path.exists() else None
    return None if table is None or table.empty else table


def _text(path: Path) -> pd.DataFrame:
    """A CSV file with every cell as it is written."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A CSV file with these columns and maybe more."""
    table = _text(path)
    for name in columns:
        if name not in table:
            raise _damaged(path, f"it has no column {name}")
    for name in table.columns.difference(_TEXTS):
        try:
            table[name] = pd.to_numeric(table[name].replace("", None))
        except ValueError as error:
            raise _damaged(path, f"the column {name} must hold numbers") from error
    if "seeds" in columns and table["seeds"].isna().any():
        raise _damaged(path, "the column seeds must hold numbers")
    return table


def _summary(path: Path, k: int) -> dict[str, Any]:
    """The content of summary.json; a folder may have nothing but tables."""
    empty: dict[str, Any] = {
        "title": "",
        "dataset": "",
        "synthetic": False,
        "k": k,
        "notes": [],
        "settings": [],
    }
    return {**empty, **read_as(path, _Summary, _FIX)} if path.exists() else empty


def _gallery(path: Path) -> dict[str, Any] | None:
    content = read_as(path, _Gallery, _FIX) if path.exists() else None
    return content if content and content["images"] else None


def _label_errors(path: Path) -> dict[str, Any] | None:
    content = read_as(path, _LabelErrors, _FIX) if path.exists() else None
    return content if content and (content["missing"] or content["wrong"]) else None


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} cannot be read ({reason}); {_FIX}")
