"""The data sets that can be converted, one module each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tfrecords_tools.extras import requires

SOURCES = {
    "scenes": "Scenes",
    "corel5k": "Corel5K",
    "nuswide": "NUSWide",
    "coco": "COCO",
    "folder": "Folder",
}


def source_class(name: str) -> Any:
    """The class that reads a data set.

    Its module is imported only here, so that a worker process imports no other source.

    Args:
        name: one of `SOURCES`.

    Example:
        >>> source = source_class("corel5k")("corel5k", size=64)
    """
    # The renderer draws with OpenCV.
    with requires("reproduce" if name == "scenes" else "tensorflow"):
        return getattr(import_module(f"{__name__}.{name}"), SOURCES[name])
