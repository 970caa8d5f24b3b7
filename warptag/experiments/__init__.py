"""The runs behind `results/`, one small file each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Experiments of the whole comparison; `nuswide-upper-bound` is a table from labels alone.
EXPERIMENTS = ("scenes", "corel5k", "nuswide")
#: What one network can be trained on.
TRAINABLE = (*EXPERIMENTS, "folder")


def load_experiment(name: str) -> Any:
    """The `Experiment` of a name in `TRAINABLE`."""
    return import_module(f"{__name__}.{name}").EXPERIMENT
