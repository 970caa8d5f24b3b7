"""The tables: one row per measurement, the targets, and the means over the seeds."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.gpu.cases import SOFTMAX_STEP, TORCH_STEP

COLUMNS = (
    *("stage", "backend", "what", "precision", "batch", "num_tags", "scores", "milliseconds"),
    *("images_per_second", "over", "ratio", "note", "platform", "device", "versions"),
)
MAX_SHARE_OF_WARP = 0.03
MIN_RATIO_TO_PYTORCH = 1.0


def table_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row per measurement; steps also have their speed over that of the PyTorch loop."""
    loops = {
        (row["precision"], row["batch"]): row["milliseconds"]
        for row in rows
        if row["what"] == TORCH_STEP and "milliseconds" in row
    }
    completed = []
    for row in rows:
        if row["stage"] == "step" and "milliseconds" in row:
            row = row | {"images_per_second": 1000 * row["batch"] / row["milliseconds"]}
            if loop := loops.get((row["precision"], row["batch"])):
                row |= {"over": TORCH_STEP, "ratio": loop / row["milliseconds"]}
        completed.append(row)
    table = pd.DataFrame(completed, columns=list(COLUMNS))
    return table.astype({"batch": "Int64", "num_tags": "Int64"})


def judge_targets(table: pd.DataFrame) -> pd.DataFrame:
    """One row per target and measured case; empty if none was measured."""
    rows = []
    for case in table.dropna(subset="ratio").to_dict("records"):
        if case["stage"] == "share":
            target, met = f"at most {MAX_SHARE_OF_WARP:g}", case["ratio"] <= MAX_SHARE_OF_WARP
        elif case["what"] == SOFTMAX_STEP:
            target = f"at least {MIN_RATIO_TO_PYTORCH:g}"
            met = case["ratio"] >= MIN_RATIO_TO_PYTORCH
        else:
            continue
        fields = {name: case[name] for name in ("what", "over", "precision", "batch", "ratio")}
        rows.append({**fields, "target": target, "outcome": "met" if met else "missed"})
    return pd.DataFrame(rows)


def means_of(runs: pd.DataFrame) -> pd.DataFrame:
    """The means over the seeds of each loss on the test photographs, without the runs that
    diverged, and the numbers of runs."""
    tested = runs[runs["split"] == "test"].assign(diverged=lambda table: table["note"] != "")
    metrics = [name for name in runs if "_at_" in name]
    groups = tested.groupby("loss", sort=False)
    means = groups[["learning_rate", *metrics]].mean()
    counts = {"runs": groups.size(), "diverged": groups["diverged"].sum()}
    return means.assign(**counts).reset_index()
