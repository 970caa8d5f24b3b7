"""table_k3.csv and table_k5.csv: the paper's five figures of every method."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.metrics.counts import FIGURES
from warptag.reporting.evaluation import Evaluation


def result_table(evaluation: Evaluation, k: int) -> pd.DataFrame:
    """Mean and sample standard deviation over seeds of every method, in percent.

    Args:
        evaluation: the measured scores.
        k: number of tags given to each image.

    Returns:
        One row a method in the order of the paper, columns `method`, the five figures, each again
        with `_std` (NaN with one seed), and `seeds`.

    Raises:
        ValueError: k is not from 1 to the number of tags.

    Example:
        >>> result_table(evaluation, 3)["method"].tolist()
        ['CNN + Softmax', 'CNN + Ranking', 'CNN + WARP']
    """
    rows = []
    for method in evaluation.methods:
        seeds = pd.DataFrame(evaluation.figures(method, k), columns=list(FIGURES))
        rows.append(
            {"method": method}
            | seeds.mean().to_dict()
            | seeds.std(ddof=1).add_suffix("_std").to_dict()
            | {"seeds": len(seeds)}
        )
    columns = ["method", *FIGURES, *(f"{name}_std" for name in FIGURES), "seeds"]
    return pd.DataFrame(rows, columns=columns)


def write_table(evaluation: Evaluation, k: int, path: str | os.PathLike) -> Path:
    """Write `result_table` as CSV with two decimals.

    Example:
        >>> write_table(evaluation, 3, "table_k3.csv")
        PosixPath('table_k3.csv')
    """
    text = result_table(evaluation, k).to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return write_bytes(path, text.encode())
