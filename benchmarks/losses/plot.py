"""Time and memory over the number of tags."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.losses.cases import KERAS_RS, LOOP, PLAIN, RANKING, SOFTMAX, WARP
from tfrecords_tools.files import write_whole

#: Line of each method: engine, loss, scores of the time panel, colour (Okabe and Ito), marker.
LINES = {
    "keras-rs PairwiseHingeLoss": ("TensorFlow", KERAS_RS, "untrained", "#D55E00", "X"),
    "WARP, the paper's sampling loop (trained scores)": (
        "TensorFlow",
        LOOP,
        "trained",
        "#E69F00",
        "D",
    ),
    "pairs in plain PyTorch": ("PyTorch", PLAIN, "untrained", "#777777", "P"),
    "WARP": ("TensorFlow", WARP, "untrained", "#A0195B", "^"),
    "PairwiseRanking": ("TensorFlow", RANKING, "untrained", "#009E73", "s"),
    "MultilabelSoftmax": ("TensorFlow", SOFTMAX, "untrained", "#0072B2", "o"),
}


def plot(frame: pd.DataFrame, path: Path) -> Path:
    """Two panels, one line a method on TensorFlow; plain PyTorch on PyTorch."""
    canvas = Figure(figsize=(11, 5.2), layout="constrained")
    time, memory = canvas.subplots(1, 2)
    for label, (engine, name, scores, color, marker) in LINES.items():
        rows = frame[(frame["engine"] == engine) & (frame["loss"] == name)]
        rows = rows.sort_values("num_tags")
        style = {"color": color, "marker": marker, "ms": 6, "lw": 1.6}
        timed = rows[(rows["scores"] == scores) & rows["milliseconds"].notna()]
        time.plot(timed["num_tags"], timed["milliseconds"], label=label, **style)
        sized = rows[rows["memory_mb"].notna()]
        measured, computed = sized[sized["note"] == ""], sized[sized["note"] != ""]
        memory.plot(measured["num_tags"], measured["memory_mb"], **style)
        if len(computed):
            joined = pd.concat([measured.tail(1), computed])
            style |= {"ls": ":", "mfc": "white"}
            memory.plot(joined["num_tags"], joined["memory_mb"], zorder=1, **style)
            last = joined.iloc[-1]
            memory.annotate(
                "computed, not run",
                (last["num_tags"], last["memory_mb"]),
                xytext=(-10, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                color=color,
            )
    time.set_title("Time of loss and gradient, TensorFlow on a CPU", loc="left")
    time.set_ylabel("milliseconds a batch of 32")
    memory.set_title("Peak additional memory of the first call", loc="left")
    memory.set_ylabel("MB")
    for panel in (time, memory):
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("number of tags")
        panel.grid(color="#dddddd", lw=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    canvas.legend(loc="outside lower center", ncols=3, frameon=False)
    # Without the version of matplotlib, which would change the bytes.
    with write_whole(path) as temporary:
        canvas.savefig(temporary, dpi=150, metadata={"Software": None})
    return path
