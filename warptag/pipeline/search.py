"""The search for the settings of networks on validation images, first shared, then of each loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from warptag import experiments
from warptag.methods import PAPER_LOSSES
from warptag.pipeline import side_by_side
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
    tried: dict[tuple[str, Any], list[_Trial]] = {}
    for setting, values in declared.shared_grid.items():
        for value in values:
            changed = declared.with_shared({setting: value})
            networks = make(changed)
            tried[setting, value] = [
                _Trial(
                    networks,
                    f"search {loss}, {setting} {value}",
                    replace(settings_of(changed, loss), epochs=declared.search_epochs),
                    directory / f"{loss}-{setting}-{value}",
                )
                for loss in PAPER_LOSSES
            ]
    _train_ahead(trial for trials in tried.values() for trial in trials)
    rows = []
    for (setting, value), trials in tried.items():
        scores = [trial.outcome()[0] for trial in trials]
        mean = round(sum(scores) / len(scores), 6)
        found = {"epochs": declared.search_epochs, "score": mean}
        found |= dict(zip(PAPER_LOSSES, scores, strict=True))
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
    choices = networks.networks
    tried = []
    for loss in losses or choices.grid:
        for candidate in choices.grid[loss]:
            settings = base or settings_of(choices, loss)
            changes: dict[str, Any] = {**candidate, "epochs": choices.search_epochs, "seed": 0}
            values = [str(value) for value in candidate.values()]
            name, folder = f"search {loss}, {', '.join(values)}", "-".join([loss, *values])
            trial = _Trial(networks, name, replace(settings, **changes), directory / folder)
            tried.append((candidate, trial))
    _train_ahead(trial for _, trial in tried)
    rows = []
    for candidate, trial in tried:
        score, metrics = trial.outcome()
        found = {"epochs": choices.search_epochs, "score": score, **metrics}
        rows.append({"loss": trial.settings.loss, **candidate, **found})
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
        f"{name.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}"
        for name, value in settings.items()
        if value != "none"
    )


@dataclass(frozen=True)
class _Trial:
    """One run of a search."""

    networks: Networks
    name: str
    settings: TrainingSettings
    directory: Path

    def outcome(self) -> tuple[float, dict[str, float]]:
        """The score and the validation metrics; 0 and none if the run diverges."""
        try:
            _, history = self.networks.train(self.name, self.settings, self.directory)
        except TrainingDiverged:
            return 0.0, {}
        metrics = history.filter(like="val_").iloc[-1].to_dict()
        mean = (metrics["val_per_class_recall"] + metrics["val_overall_recall"]) / 2
        return round(mean, 6), metrics


def _train_ahead(trials: Iterable[_Trial]) -> None:
    """Trains the networks of trials side by side; their outcomes are then read from the folders."""
    tasks = [
        trial.networks.tasks([(trial.name, trial.settings, trial.directory)], scored=False)
        for trial in trials
    ]
    with side_by_side.training(list(itertools.chain.from_iterable(tasks))):
        pass


def _with_best(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """The table with a column that is true for the best row of each group."""
    best = table.groupby(group)["score"].idxmax()
    table.insert(table.columns.get_loc("score") + 1, "chosen", table.index.isin(best))
    return table
