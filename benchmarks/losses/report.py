"""The measurements as Markdown: tables, targets, and what it was measured with."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version

import pandas as pd

from benchmarks.losses.cases import BATCH, ENGINES, KERAS_RS, POSITIVES, SOFTMAX, TRAINED_GAP
from benchmarks.losses.targets import number, target_lines

PACKAGES = ("keras", "tensorflow", "jax", "torch", "keras-rs", "numpy")


def report(frame: pd.DataFrame, command: str, load: float) -> str:
    """What stands on the page, without its heading.

    Args:
        frame: the measurements.
        command: what made them.
        load: the load average before the first one, which tells whether the machine was free.
    """
    blocks = [
        _setting(command, load),
        "![Time and additional memory over the number of tags](losses_benchmark.png)",
        "### Targets",
        "\n".join(f"- {line}" for line in target_lines(frame)),
        "### Time",
        "Milliseconds for loss and gradient, and in brackets the multiple of MultilabelSoftmax "
        "on the same engine at the same number of tags. Every number is in "
        "[losses_benchmark.csv](losses_benchmark.csv).",
    ]
    for engine in ENGINES:
        blocks += [f"#### {engine}", _time_table(frame[frame["engine"] == engine])]
    blocks += [
        "### Memory",
        "Megabytes of resident memory that the first call at a size adds at its peak, tracing, "
        "compiling and gradient included, after a call with 81 tags in the same fresh process; "
        "in brackets the multiple of the scores' size. At 10,000 tags the scores take 1.3 MB, so "
        "what is seen there is mostly tracing and compiling.",
    ]
    for engine in ENGINES:
        blocks += [f"#### {engine}, memory", _memory_table(frame[frame["engine"] == engine])]
    return "\n\n".join(blocks)


def _setting(command: str, load: float) -> str:
    versions = {"Python": platform.python_version()}
    versions |= {name: version(name) for name in PACKAGES}
    lines = [
        f"Made by `{command}` on {datetime.date.today()}, {len(os.sched_getaffinity(0))} cores, "
        f"no GPU, load average {load:.1f} before the start; "
        f"{', '.join(f'{name} {release}' for name, release in versions.items())}.",
        f"Batch of {BATCH}, float32, {POSITIVES} positives an image, multi-hot labels unless "
        'labels="ids" is said; loss and gradient with respect to the scores together, reduced '
        "to the mean. Medians of repeated calls after warming up; the losses of an engine take "
        "turns in short blocks. Look at ratios: the milliseconds are this machine's.",
        "Untrained scores are standard normal; nearly every positive has violators, which is the "
        "costliest case of the hinge. Trained scores are the same with the positives "
        f"{TRAINED_GAP:g} higher: many positives have few or no violators, and the sampling loop "
        "draws up to c - 1 times for them, its normal case once a network has learnt.",
        "TensorFlow is a `tf.function`, with XLA `jit_compile=True`; PyTorch is eager. "
        f'{KERAS_RS} computes the sum of `PairwiseRanking(normalization="none")` from a table '
        "of all pairs of tags; plain PyTorch computes it from a table of positives and negatives "
        "for each image.",
    ]
    return "\n\n".join(lines)


def _time_table(frame: pd.DataFrame) -> str:
    softmax = frame[frame["loss"] == SOFTMAX].set_index("num_tags")["milliseconds"]

    def cell(row: pd.Series) -> str:
        if pd.isna(row["milliseconds"]):
            return row["note"].split(";")[0]
        text = number(row["milliseconds"])
        if row["num_tags"] in softmax:
            text += f" ({number(row['milliseconds'] / softmax[row['num_tags']])})"
        return text

    return _table(frame, cell)


def _memory_table(frame: pd.DataFrame) -> str:
    def cell(row: pd.Series) -> str:
        computed = "computed: " if row["note"] else ""
        return f"{computed}{number(row['memory_mb'])} ({number(row['memory_over_scores'])})"

    return _table(frame[frame["memory_mb"].notna()], cell)


def _table(frame: pd.DataFrame, cell) -> str:
    """A row for each loss and kind of scores, a column for each number of tags."""
    sizes = sorted(frame["num_tags"].unique())
    trained = set(frame.loc[frame["scores"] == "trained", "loss"])
    rows = []
    for (name, scores), group in frame.groupby(["loss", "scores"], sort=False):
        cells = {row["num_tags"]: cell(row) for _, row in group.iterrows()}
        label = f"{name}, {scores}" if name in trained else name
        rows.append([label, *(cells.get(size, "") for size in sizes)])
    header = ["loss", *(f"c = {size}" for size in sizes)]
    return _markdown(header, ["---", *("---:" for _ in sizes)], *rows)


def _markdown(*rows: Iterable[str]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
