"""The search for each loss's settings, such as the learning rate, on validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from warptag.pipeline.networks import Networks, settings_of
from warptag.training import TrainingDiverged, TrainingSettings


def search(
    networks: Networks,
    directory: Path,
    losses: Sequence[str] = (),
    base: TrainingSettings | None = None,
) -> pd.DataFrame:
    """Trains every candidate of the grid once, with seed 0, for `search_epochs`.

    The score of a candidate is the mean of the per-class and the overall recall on the validation
    images after the last epoch; a run that diverges scores 0. No test image is used.

    Args:
        networks: the networks to train.
        directory: the folder of the runs.
        losses: the losses to search for; all of the grid by default.
        base: the settings that the candidates share; those of the experiment by default.

    Returns:
        One row per candidate: loss, the settings of the candidate, epochs, score, chosen, which is
        true for the best candidate of its loss, and the validation metrics.
    """
    rows = []
    choices = networks.networks
    for loss in losses or choices.grid:
        for candidate in choices.grid[loss]:
            settings = base or settings_of(choices, loss)
            changes: dict[str, Any] = {**candidate, "epochs": choices.search_epochs, "seed": 0}
            settings = replace(settings, **changes)
            values = [str(value) for value in candidate.values()]
            name = f"search {loss}, {', '.join(values)}"
            folder = directory / "-".join([loss, *values])
            try:
                _, history = networks.train(name, settings, folder)
                metrics = history.filter(like="val_").iloc[-1].to_dict()
                score = (metrics["val_per_class_recall"] + metrics["val_overall_recall"]) / 2
            except TrainingDiverged:
                metrics, score = {}, 0.0
            rows.append(
                {
                    "loss": loss,
                    **candidate,
                    "epochs": choices.search_epochs,
                    "score": round(score, 6),
                    **metrics,
                }
            )
    table = pd.DataFrame(rows)
    best = table.groupby("loss")["score"].idxmax()
    table.insert(table.columns.get_loc("score") + 1, "chosen", table.index.isin(best))
    return table


def chosen_settings(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The chosen settings of each loss."""
    names = [
        field.name
        for field in fields(TrainingSettings)
        if field.name in table and field.name not in ("loss", "epochs")
    ]
    chosen = table[table["chosen"]]
    return dict(zip(chosen["loss"], chosen[names].to_dict("records"), strict=True))


def listed(settings: dict[str, Any]) -> str:
    """Settings in words, such as "learning rate 0.01, normalization violators"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else f'{value:g}'}"
        for name, value in settings.items()
        if value != "none"
    )
