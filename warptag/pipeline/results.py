"""The files of a comparison: tables, pictures, one row per training run, and the page."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.data import Records
from warptag.pipeline.networks import Run
from warptag.pipeline.runs import write_runs
from warptag.reporting import Evaluation, write_page, write_results
from warptag.reporting.label_errors import label_errors

#: The number of images in the gallery; the first of them are also on the annotation sheet.
NUM_IMAGES = 36
#: Marks a folder whose tables `warptag report` made, and contains the split they are of.
SCORED = "scored.json"


def write_all(
    evaluation: Evaluation,
    output: Path,
    *,
    runs: Mapping[str, Sequence[Run]],
    notes: Sequence[str],
    command: str,
    photographs: Records | None = None,
    published: pd.DataFrame | None = None,
    find_label_errors: bool = False,
) -> list[Path]:
    """Writes every file of a folder of results.

    Args:
        evaluation: the scores of all methods.
        output: the folder.
        runs: method id -> the training runs of a network, one per seed.
        notes: sentences to print below the tables.
        command: the command that made the results.
        photographs: the test images, for the gallery and the label errors.
        published: the table beside published results, as from `published_table`.
        find_label_errors: whether to list the photographs whose labels are most likely wrong.

    Returns:
        The files, the page last.
    """
    (output / SCORED).unlink(missing_ok=True)
    arguments: dict[str, Any] = {"published": published}
    if runs:
        arguments["histories"] = {method: [run.history for run in runs[method]] for method in runs}
        arguments["probabilities"] = _probabilities(runs)
        arguments["images"] = _sample(photographs) if photographs is not None else None
        if find_label_errors and photographs is not None:
            arguments["label_errors"] = label_errors(
                evaluation, arguments["probabilities"], photographs.names, photographs.images
            )
    written = write_results(evaluation, output, settings_lines=notes, **arguments)
    if runs:
        every_run = list(itertools.chain.from_iterable(runs.values()))
        write_runs(every_run, evaluation.test_labels, evaluation.ks, output / "runs.csv")
        written.append(output / "runs.csv")
    written.append(write_bytes(output / "command.txt", f"{command}\n".encode()))
    return [*written, write_page(output)]


def _probabilities(runs: Mapping[str, Sequence[Run]]) -> dict[str, np.ndarray]:
    """The probabilities of each method's first run, if it has a calibration."""
    return {
        method: some[0].calibration.probabilities(some[0].scores)
        for method, some in runs.items()
        if some[0].calibration is not None
    }


def _sample(test: Records) -> dict[int, np.ndarray]:
    """Test images at even distances among the first 720, chosen without regard to the results."""
    spacing = max(1, min(len(test), 720) // NUM_IMAGES)
    rows = range(0, min(len(test), spacing * NUM_IMAGES), spacing)
    return dict(zip(rows, test.images(rows), strict=True))
