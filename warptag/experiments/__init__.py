"""The runs behind `results/`, one small file each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Experiments of the whole comparison; `nuswide-upper-bound` is a table from labels alone.
EXPERIMENTS = ("scenes", "corel5k", "nuswide")


def load_experiment(name: str) -> Any:
    """The `Experiment` of a name in `EXPERIMENTS`."""
    return import_module(f"{__name__}.{name}").EXPERIMENT
