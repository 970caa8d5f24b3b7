"""Writing a figure whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

from matplotlib.figure import Figure

from tfrecords_tools.files import write_bytes


def write_figure(path: str | os.PathLike, figure: Figure, dots_per_inch: int = 150) -> Path:
    """Write a figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    # Without the version of matplotlib and the date, which would change the bytes.
    figure.savefig(buffer, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return write_bytes(path, buffer.getvalue())
