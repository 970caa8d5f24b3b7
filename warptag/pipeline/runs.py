"""runs.csv: one row per training run, with every setting and measurement."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.methods import method_of
from warptag.metrics import annotation_report
from warptag.pipeline.networks import Run

#: The columns that may differ when a run is repeated.
MEASURED_EACH_TIME = ["seconds", "images_per_second", "commit", "code"]


def write_runs(
    runs: Sequence[Run], test_labels: np.ndarray, ks: Sequence[int], path: Path
) -> pd.DataFrame:
    """Writes one row per run.

    A row of the existing file is kept if the new one differs only in `MEASURED_EACH_TIME`, so that
    a reproduced run leaves the file unchanged.
    """
    table = pd.DataFrame([_row(run, test_labels, ks) for run in runs])
    # As text, so that new rows compare equal to rows read from the file.
    table = pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)
    if path.exists():
        try:
            before = pd.read_csv(path, dtype=str, keep_default_na=False)
        except (OSError, ValueError):  # damaged
            before = pd.DataFrame()
        if list(before.columns) == list(table.columns):
            same = [name for name in table.columns if name not in MEASURED_EACH_TIME]
            known = {tuple(row[same]): row for _, row in before.iterrows()}
            rows = [known.get(tuple(row[same]), row) for _, row in table.iterrows()]
            table = pd.DataFrame(rows, columns=table.columns)
    write_bytes(path, table.to_csv(index=False).encode())
    return table


def _row(run: Run, test_labels: np.ndarray, ks: Sequence[int]) -> dict[str, Any]:
    # The checksum identifies the data.
    left_out = ("tag_names", "image", "data")
    settings = {name: value for name, value in run.settings.items() if name not in left_out}
    measured = dict(run.measured)
    packages = measured.pop("versions", {})
    metrics = {
        f"{metric}_at_{k}": f"{value:.2f}"
        for k in ks
        for metric, value in annotation_report(test_labels, run.scores, k).items()
    }
    flat = {
        name: json.dumps(value) if isinstance(value, (dict, list)) else value
        for name, value in settings.items()
    }
    return {"method": method_of(settings).label, **flat, **packages, **metrics, **measured}
