"""The search for the settings of networks on validation images, first shared, then of each loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from warptag import experiments
from warptag.methods import PAPER_LOSSES
from warptag.pipeline.networks import Networks, settings_of
from warptag.training import TrainingDiverged, TrainingSettings


def search_shared(
    make: Callable[[experiments.Networks], Networks],
    declared: experiments.Networks,
    directory: Path,
) -> pd.DataFrame:
    """Tries every value of the shared settings, one setting at a time, with each of the losses.

    All other settings are the declared ones. The score of a value is the mean over the losses of
    the scores that `search` describes.

    Args:
        make: a function that returns the networks to train, given their declaration.
        declared: the networks of the experiment.
        directory: the folder of the runs.

    Returns:
        One row per setting and value: setting, value as text, epochs, score, chosen, which is true
        for the best value of its setting, and the score of each loss.
    """
    rows = []
    for setting, values in declared.shared_grid.items():
        for value in values:
            changed = declared.with_shared({setting: value})
            networks = make(changed)
            scores = {}
            for loss in PAPER_LOSSES:
                settings = replace(settings_of(changed, loss), epochs=declared.search_epochs)
                name, folder = f"search {loss}, {setting} {value}", f"{loss}-{setting}-{value}"
                scores[loss], _ = _try(networks, name, settings, directory / folder)
            mean = round(sum(scores.values()) / len(scores), 6)
            found = {"epochs": declared.search_epochs, "score": mean, **scores}
            rows.append({"setting": setting, "value": str(value), **found})
    return _with_best(pd.DataFrame(rows), "setting")


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
            values = [str(value) for value in candidate.values()]
            name = f"search {loss}, {', '.join(values)}"
            folder = directory / "-".join([loss, *values])
            score, metrics = _try(networks, name, replace(settings, **changes), folder)
            found = {"epochs": choices.search_epochs, "score": score, **metrics}
            rows.append({"loss": loss, **candidate, **found})
    return _with_best(pd.DataFrame(rows), "loss")


def chosen_settings(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The chosen settings of each loss, from the table of `search`."""
    names = [
        field.name
        for field in fields(TrainingSettings)
        if field.name in table and field.name not in ("loss", "epochs")
    ]
    chosen = table[table["chosen"]]
    return dict(zip(chosen["loss"], chosen[names].to_dict("records"), strict=True))


def chosen_shared(table: pd.DataFrame, declared: experiments.Networks) -> dict[str, Any]:
    """The chosen value of each shared setting, from the table of `search_shared`."""
    chosen = table[table["chosen"]].set_index("setting")["value"]
    return {
        setting: next(value for value in values if str(value) == chosen[setting])
        for setting, values in declared.shared_grid.items()
    }


def listed(settings: dict[str, Any]) -> str:
    """Settings in words, such as "learning rate 0.01, normalization violators"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else f'{value:g}'}"
        for name, value in settings.items()
        if value != "none"
    )


def _try(
    networks: Networks, name: str, settings: TrainingSettings, folder: Path
) -> tuple[float, dict[str, float]]:
    """The score of a run and its validation metrics; 0 and none if it diverges."""
    try:
        _, history = networks.train(name, settings, folder)
    except TrainingDiverged:
        return 0.0, {}
    metrics = history.filter(like="val_").iloc[-1].to_dict()
    return round((metrics["val_per_class_recall"] + metrics["val_overall_recall"]) / 2, 6), metrics


def _with_best(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """The table with a column that is true for the best row of each group."""
    best = table.groupby(group)["score"].idxmax()
    table.insert(table.columns.get_loc("score") + 1, "chosen", table.index.isin(best))
    return table
