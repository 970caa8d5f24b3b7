"""Train a network to tag photographs, and compare the losses that do it (arXiv 1312.4894).

`warptag.losses.WARP()` and the like work after `import warptag` alone: a subpackage and its
dependencies are imported on first use.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = (
    "annotation",
    "baselines",
    "data",
    "experiments",
    "exporting",
    "losses",
    "metrics",
    "models",
    "reporting",
    "training",
)


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES])
