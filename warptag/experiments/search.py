"""Choosing each loss's learning rate and normalization on validation images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.experiments.experiment import GRID, Experiment
from warptag.experiments.networks import Networks
from warptag.training import TrainingDiverged


def search(experiment: Experiment, networks: Networks, directory: Path) -> pd.DataFrame:
    """Train every candidate of `GRID` once, with seed 0, for `search_epochs`.

    A candidate's score is the mean of per-class and overall recall on the validation images after
    the last epoch; a run that diverges scores 0. Test images are not looked at.

    Returns:
        One row a candidate: loss, learning_rate, normalization, score, the validation figures,
        and chosen, true for the best of its loss.
    """
    rows = []
    for loss, candidates in GRID.items():
        for learning_rate, normalization in candidates:
            settings = experiment.settings_for(loss, 0, (learning_rate, normalization))
            settings = replace(settings, epochs=experiment.search_epochs)
            name = f"search {loss}, rate {learning_rate}, {normalization}"
            folder = directory / f"{loss}-{learning_rate}-{normalization}"
            try:
                _, history = networks.train(name, settings, folder)
                figures = history.filter(like="val_").iloc[-1].to_dict()
                recalls = figures["val_per_class_recall"], figures["val_overall_recall"]
                score = sum(recalls) / 2
            except TrainingDiverged:
                figures, score = {}, 0.0
            rows.append(
                {
                    "loss": loss,
                    "learning_rate": learning_rate,
                    "normalization": normalization,
                    "epochs": experiment.search_epochs,
                    "score": round(score, 6),
                    **figures,
                }
            )
    table = pd.DataFrame(rows)
    best = table.groupby("loss")["score"].idxmax()
    table.insert(5, "chosen", table.index.isin(best))
    return table


def chosen_settings(table: pd.DataFrame) -> dict[str, tuple[float, str]]:
    """loss -> (learning rate, normalization) of the rows marked as chosen."""
    rows = table[table["chosen"]].itertuples()
    return {row.loss: (float(row.learning_rate), row.normalization) for row in rows}


def write_search(table: pd.DataFrame, path: Path) -> None:
    """Write search.csv."""
    write_bytes(path, table.to_csv(index=False).encode())
