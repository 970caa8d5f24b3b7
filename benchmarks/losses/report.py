"""The measurements as Markdown: how they were made, targets and tables."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable

import pandas as pd

from benchmarks.losses.cases import BATCH, ENGINES, KERAS_RS, POSITIVES, SOFTMAX, TRAINED_GAP
from benchmarks.losses.targets import judge_targets, number
from warptag.provenance import versions

PACKAGES = ("keras", "tensorflow", "jax", "torch", "keras-rs", "numpy")
EXPLANATION = f"""\
Batch of {BATCH}, float32, {POSITIVES} positives per image, multi-hot labels except with
`labels="ids"`; loss and gradient with respect to the scores together, reduced to the mean. Medians
of repeated calls after warming up; the losses of an engine take turns in short blocks. Look at
ratios: the milliseconds are this machine's.

Untrained scores are standard normal; nearly every positive has violators, which is the costliest
case of the hinge. Trained scores are the same with the positives {TRAINED_GAP:g} higher: many
positives have few violators or none, and the sampling loop draws up to c - 1 times for them, its
normal case once a network is trained.

TensorFlow is a `tf.function`, with XLA `jit_compile=True`; PyTorch is eager. {KERAS_RS} computes
the sum of `PairwiseRanking(normalization="none")` from a table of all pairs of tags; plain PyTorch
computes it from a table of positives and negatives for each image.

![Time and additional memory over the number of tags](losses_benchmark.png)"""
TIME = f"""\
Milliseconds for loss and gradient, and in brackets the multiple of {SOFTMAX} on the same engine at
the same number of tags. Every number is in [losses_benchmark.csv](losses_benchmark.csv)."""
MEMORY = """\
Megabytes of resident memory that the first call at a size adds at its peak, tracing, compiling and
gradient included, after a call with 81 tags in the same process; in brackets the multiple of the
scores' size. At 10,000 tags the scores take 1.3 MB, so most of it is tracing and compiling. The C
library returns freed arrays to the system at once here; by default it keeps some, and the peak can
be more than half as much again."""


def report(frame: pd.DataFrame, command: str, load: float) -> str:
    """The section of the page, without its heading.

    Args:
        frame: the measurements.
        command: the command that made them.
        load: the load average before the first one, which tells whether the machine was free.
    """
    packages = ", ".join(f"{name} {release}" for name, release in versions(*PACKAGES).items())
    blocks = [
        f"Made by `{command}` on {datetime.date.today()}, {len(os.sched_getaffinity(0))} cores, "
        f"no GPU, load average {load:.1f} before the start; {packages}.",
        *(EXPLANATION, "### Targets", _markdown(judge_targets(frame)), "### Time", TIME),
    ]
    for engine in ENGINES:
        blocks += [f"#### {engine}", _time_table(frame[frame["engine"] == engine])]
    blocks += ["### Memory", MEMORY]
    for engine in ENGINES:
        blocks += [f"#### {engine}, memory", _memory_table(frame[frame["engine"] == engine])]
    return "\n\n".join(blocks)


def _time_table(frame: pd.DataFrame) -> str:
    softmax = frame[frame["loss"] == SOFTMAX].set_index("num_tags")["milliseconds"]

    def cell(row: pd.Series) -> str:
        if row["note"]:
            return row["note"]
        text = number(row["milliseconds"])
        if row["num_tags"] in softmax:
            text += f" ({number(row['milliseconds'] / softmax[row['num_tags']])})"
        return text

    return _table(frame, cell)


def _memory_table(frame: pd.DataFrame) -> str:
    return _table(
        frame[frame["memory_mb"].notna()],
        lambda row: f"{number(row['memory_mb'])} ({number(row['memory_over_scores'])})",
    )


def _table(frame: pd.DataFrame, cell: Callable[[pd.Series], str]) -> str:
    """One row per loss and kind of scores, one column per number of tags."""
    loss = frame["loss"] + frame["scores"].map({"untrained": "", "trained": ", trained scores"})
    cells = pd.DataFrame(
        {
            "loss": loss,
            "size": [f"c = {num_tags}" for num_tags in frame["num_tags"]],
            "cell": frame.apply(cell, axis=1),
        }
    )
    table = cells.pivot(index="loss", columns="size", values="cell").fillna("")
    sizes = [f"c = {num_tags}" for num_tags in sorted(frame["num_tags"].unique())]
    return _markdown(table.loc[loss.unique(), sizes].reset_index())


def _markdown(table: pd.DataFrame) -> str:
    rule = ["---", *("---:" for _ in table.columns[1:])]
    rows = [list(table.columns), rule, *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
