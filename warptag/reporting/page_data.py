"""What the report page needs beside the tables: claims.csv, history.csv and summary.json."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes, write_json
from warptag.reporting.claims import judge_claims
from warptag.reporting.evaluation import METHODS, Evaluation
from warptag.reporting.markdown import evaluation_notes

CLAIM_COLUMNS = (
    "k",
    "number",
    "statement",
    "verdict",
    "not_measured",
    "comparison",
    "outcome",
    "mean",
    "low",
    "high",
    "seeds",
    "paper",
)


def claims_table(evaluation: Evaluation) -> pd.DataFrame:
    """The paper's claims judged at every k, one row a comparison.

    Args:
        evaluation: the measured scores.

    Returns:
        Columns `CLAIM_COLUMNS`: mean difference, ends of its 95% interval (NaN with fewer than
        three seeds) and the paper's difference (NaN where it prints none) in percentage points.

    Example:
        >>> claims_table(evaluation)["verdict"]  # doctest: +SKIP
    """
    rows = []
    for k in evaluation.ks:
        for claim in judge_claims(evaluation, k):
            for comparison in claim.comparisons:
                low, high = comparison.interval or (None, None)
                rows.append(
                    (
                        k,
                        claim.number,
                        claim.statement,
                        claim.verdict,
                        ", ".join(claim.missing),
                        comparison.description,
                        comparison.outcome,
                        comparison.mean,
                        low,
                        high,
                        comparison.seeds,
                        comparison.paper,
                    )
                )
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def write_claims(evaluation: Evaluation, path: str | os.PathLike) -> Path:
    """Write `claims_table` as CSV with two decimals.

    Example:
        >>> write_claims(evaluation, "claims.csv")
        PosixPath('claims.csv')
    """
    text = claims_table(evaluation).to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return write_bytes(path, text.encode())


def write_history(histories: dict[str, list[pd.DataFrame]], path: str | os.PathLike) -> Path:
    """Write every epoch of every run as CSV: `method`, `seed`, then the columns of its history.

    Args:
        histories: as for `plot_training_curves`.
        path: where the CSV goes.

    Example:
        >>> frame = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.5]})
        >>> write_history({"CNN + WARP": [frame]}, "history.csv")
        PosixPath('history.csv')
    """
    frames = [
        frame.assign(method=method, seed=seed)
        for method in METHODS
        for seed, frame in enumerate(histories.get(method, ()))
    ]
    table = pd.concat(frames, ignore_index=True)
    table = table[["method", "seed", *table.columns.drop(["method", "seed"])]]
    # Six digits: more than a curve shows, and less than a float32 of a history holds.
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return write_bytes(path, text.encode())


def write_summary(
    evaluation: Evaluation, settings_lines: Sequence[str], path: str | os.PathLike
) -> Path:
    """Write what the results are of, as JSON.

    Args:
        evaluation: the measured scores.
        settings_lines: one line for each choice or deviation.
        path: where the JSON goes: title, kind of data, `k` of per_class.csv, notes, settings.

    Example:
        >>> write_summary(evaluation, ["learning rate 0.02"], "summary.json")
        PosixPath('summary.json')
    """
    return write_json(
        path,
        {
            "title": evaluation.title,
            "synthetic": evaluation.synthetic,
            "comparable": evaluation.comparable,
            "k": evaluation.ks[0],
            "notes": evaluation_notes(evaluation),
            "settings": list(settings_lines),
        },
    )
