"""The search for each loss's learning rate and normalization, on validation images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from warptag.experiments import GRID
from warptag.pipeline.networks import Networks, settings_of
from warptag.training import TrainingDiverged


def search(networks: Networks, directory: Path) -> pd.DataFrame:
    """Trains every candidate of `GRID` once, with seed 0, for `search_epochs`.

    The score of a candidate is the mean of the per-class and the overall recall on the validation
    images after the last epoch; a run that diverges scores 0. No test image is used.

    Args:
        networks: the networks to train.
        directory: the folder of the runs.

    Returns:
        One row per candidate: loss, learning_rate, normalization, epochs, score, the validation
        metrics, and chosen, which is true for the best candidate of its loss.
    """
    rows = []
    epochs = networks.networks.search_epochs
    for loss, candidates in GRID.items():
        for learning_rate, normalization in candidates:
            settings = settings_of(networks.networks, loss, 0, (learning_rate, normalization))
            settings = replace(settings, epochs=epochs)
            name = f"search {loss}, rate {learning_rate}, {normalization}"
            folder = directory / f"{loss}-{learning_rate}-{normalization}"
            try:
                _, history = networks.train(name, settings, folder)
                metrics = history.filter(like="val_").iloc[-1].to_dict()
                score = (metrics["val_per_class_recall"] + metrics["val_overall_recall"]) / 2
            except TrainingDiverged:
                metrics, score = {}, 0.0
            rows.append(
                {
                    "loss": loss,
                    "learning_rate": learning_rate,
                    "normalization": normalization,
                    "epochs": epochs,
                    "score": round(score, 6),
                    **metrics,
                }
            )
    table = pd.DataFrame(rows)
    best = table.groupby("loss")["score"].idxmax()
    table.insert(5, "chosen", table.index.isin(best))
    return table


def chosen_settings(table: pd.DataFrame) -> dict[str, tuple[float, str]]:
    """The chosen learning rate and normalization of each loss."""
    rows = table[table["chosen"]].itertuples()
    return {row.loss: (float(row.learning_rate), row.normalization) for row in rows}
