"""All files of a comparison: tables, plots and the annotation sheet."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from warptag.reporting.annotations import annotation_sheet
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.markdown import write_markdown
from warptag.reporting.per_class import write_per_class
from warptag.reporting.plots import describe, plot_by_frequency
from warptag.reporting.published import write_published
from warptag.reporting.tables import write_table
from warptag.reporting.training_curves import plot_training_curves

_FEATURE_PLOTS: dict[Literal["recall", "precision"], str] = {
    "recall": "features_recall_by_frequency.png",
    "precision": "features_precision_by_frequency.png",
}


def write_results(
    evaluation: Evaluation,
    output_dir: str | os.PathLike,
    histories: dict[str, list[pd.DataFrame]] | None = None,
    images: Mapping[int, np.ndarray] | None = None,
    settings_lines: Sequence[str] = (),
    published: pd.DataFrame | None = None,
) -> list[Path]:
    """Write everything the data allows; the same data gives the same bytes.

    Args:
        evaluation: the measured scores.
        output_dir: folder for the files, made when it does not exist.
        histories: as for `plot_training_curves`; without it there are no training curves.
        images: as for `annotation_sheet`; without it there is no sheet.
        settings_lines: choices and deviations to list in tables.md.
        published: as from `published_table`, for tables.md and published_k5.csv.

    Returns:
        The files written: table_k<k>.csv for every k, tables.md, per_class.csv, and where there
        are networks and tags to plot recall_by_frequency.png, precision_by_frequency.png,
        training_curves.png and annotations.png; features_recall_by_frequency.png and
        features_precision_by_frequency.png where there are rows over visual features;
        published_k5.csv with `published`.

    Raises:
        ValueError: as the functions that write the single files.

    Example:
        >>> write_results(evaluation, "results/scenes")  # doctest: +SKIP
    """
    folder = Path(output_dir)
    paths = [write_table(evaluation, k, folder / f"table_k{k}.csv") for k in evaluation.ks]
    paths.append(write_markdown(evaluation, folder / "tables.md", settings_lines, published))
    if published is not None:
        paths.append(write_published(published, folder / "published_k5.csv"))
    paths.append(write_per_class(evaluation, folder / "per_class.csv"))
    if evaluation.cnn_methods and evaluation.test_counts.any():
        recall, precision = "recall_by_frequency.png", "precision_by_frequency.png"
        paths.append(plot_by_frequency(evaluation, "recall", folder / recall))
        paths.append(plot_by_frequency(evaluation, "precision", folder / precision))
    over_features = [method for method in evaluation.methods if method.startswith("Visual Feature")]
    if over_features and evaluation.test_counts.any():
        for plotted, name in _FEATURE_PLOTS.items():
            paths.append(plot_by_frequency(evaluation, plotted, folder / name, over_features))
    if histories and any(histories.values()):
        title = f"Training on {describe(evaluation)}"
        paths.append(plot_training_curves(histories, folder / "training_curves.png", title))
    if images and evaluation.cnn_methods:
        paths.append(annotation_sheet(images, evaluation, folder / "annotations.png"))
    return paths
