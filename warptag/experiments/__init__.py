"""The experiments behind `results/`, one small file each.

To add an experiment, add a file here that defines `EXPERIMENT`. The commands find it by itself.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from warptag.experiments.experiment import GRID, Experiment, Networks, Photographs

__all__ = ["EXPERIMENTS", "GRID", "Experiment", "Networks", "Photographs"]

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
#: Name -> experiment.
EXPERIMENTS: dict[str, Experiment] = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in _MODULES
    if hasattr(module, "EXPERIMENT")
}
