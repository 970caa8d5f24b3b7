"""All files of a comparison: tables, plots, annotation sheet, and what the report page shows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from warptag.reporting.annotations import annotation_sheet
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.gallery import write_gallery
from warptag.reporting.markdown import write_markdown
from warptag.reporting.page_data import write_claims, write_history, write_summary
from warptag.reporting.per_class import write_per_class
from warptag.reporting.plots import describe, plot_by_frequency
from warptag.reporting.published import write_published
from warptag.reporting.reliability import plot_reliability
from warptag.reporting.tables import write_table
from warptag.reporting.training_curves import plot_training_curves

#: Images of the annotation sheet, the first of those given.
NUM_SHEET_IMAGES = 12
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
    probabilities: Mapping[str, np.ndarray] | None = None,
) -> list[Path]:
    """Write everything the data allows; the same data gives the same bytes.

    Args:
        evaluation: the measured scores.
        output_dir: folder for the files, made when it does not exist.
        histories: as for `plot_training_curves`; without it there are no training curves.
        images: as for `annotation_sheet`, which shows the first 12, and `write_gallery`, which
            takes all; without them there is neither.
        settings_lines: choices and deviations to list in tables.md.
        published: as from `published_table`, for tables.md and published_k5.csv.
        probabilities: method -> (num_images, num_tags) in [0, 1], for reliability.png.

    Returns:
        The files written: table_k<k>.csv for every k, tables.md, per_class.csv, claims.csv,
        summary.json, with `histories` history.csv, with `images` gallery.json, and where there
        are networks and tags to plot recall_by_frequency.png, precision_by_frequency.png,
        training_curves.png and annotations.png; features_recall_by_frequency.png and
        features_precision_by_frequency.png where there are rows over visual features;
        published_k5.csv with `published`; reliability.png with `probabilities`.

    Raises:
        ValueError: as the functions that write the single files.

    Example:
        >>> [path.name for path in write_results(evaluation, "results")][:3]
        ['table_k3.csv', 'table_k5.csv', 'tables.md']
    """
    folder = Path(output_dir)
    paths = [write_table(evaluation, k, folder / f"table_k{k}.csv") for k in evaluation.ks]
    paths.append(write_markdown(evaluation, folder / "tables.md", settings_lines, published))
    if published is not None:
        paths.append(write_published(published, folder / "published_k5.csv"))
    paths.append(write_per_class(evaluation, folder / "per_class.csv"))
    paths.append(write_claims(evaluation, folder / "claims.csv"))
    paths.append(write_summary(evaluation, settings_lines, folder / "summary.json"))
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
        paths.append(write_history(histories, folder / "history.csv"))
    if probabilities:
        title = f"Probabilities of tags on {describe(evaluation)}"
        path = folder / "reliability.png"
        paths.append(plot_reliability(probabilities, evaluation.test_labels, path, title))
    if images and evaluation.cnn_methods:
        on_sheet = dict(itertools.islice(images.items(), NUM_SHEET_IMAGES))
        paths.append(annotation_sheet(on_sheet, evaluation, folder / "annotations.png"))
        paths.append(write_gallery(images, evaluation, folder / "gallery.json"))
    return paths
