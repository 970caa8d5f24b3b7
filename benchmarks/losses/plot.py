"""Time and memory over the number of tags."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.losses.cases import KERAS_RS, LOOP, PLAIN, RANKING, SOFTMAX, WARP
from tfrecords_tools.files import write_whole

#: Label of each line: engine, loss, scores of the time panel, color (Okabe and Ito), marker.
LINES = {
    KERAS_RS: ("TensorFlow", KERAS_RS, "untrained", "#D55E00", "X"),
    "WARP, the paper's sampling loop (trained scores)": (
        *("TensorFlow", LOOP, "trained", "#E69F00", "D"),
    ),
    "pairs in plain PyTorch": ("PyTorch", PLAIN, "untrained", "#777777", "P"),
    "WARP": ("TensorFlow", WARP, "untrained", "#A0195B", "^"),
    "PairwiseRanking": ("TensorFlow", RANKING, "untrained", "#009E73", "s"),
    "MultilabelSoftmax": ("TensorFlow", SOFTMAX, "untrained", "#0072B2", "o"),
}
PANELS = {
    "milliseconds": ("Time of loss and gradient, TensorFlow on a CPU", "milliseconds per batch"),
    "memory_mb": ("Peak additional memory of the first call", "MB"),
}


def plot(frame: pd.DataFrame, path: Path) -> None:
    """Two panels with one line per method."""
    canvas = Figure(figsize=(11, 5.2), layout="constrained")
    panels = canvas.subplots(1, 2)
    for panel, (column, (title, unit)) in zip(panels, PANELS.items(), strict=True):
        for label, (engine, name, scores, color, marker) in LINES.items():
            rows = frame[(frame["engine"] == engine) & (frame["loss"] == name)]
            # Memory is measured with untrained scores alone.
            rows = rows[rows["scores"] == (scores if column == "milliseconds" else "untrained")]
            rows = rows.dropna(subset=column).sort_values("num_tags")
            panel.plot(rows["num_tags"], rows[column], label=label, color=color, marker=marker)
        panel.set(xscale="log", yscale="log", xlabel="number of tags", ylabel=unit)
        panel.set_title(title, loc="left")
        panel.grid(color="#dddddd", lw=0.8)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    # Without the version of matplotlib, which would change the bytes.
    with write_whole(path) as temporary:
        canvas.savefig(temporary, dpi=150, metadata={"Software": None})
