"""The paper's figures 2 and 3: recall and precision of the tags, ordered by frequency."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure

from warptag.reporting.evaluation import Evaluation
from warptag.reporting.figure_file import write_figure

#: Colours of Okabe and Ito, told apart by colour-blind readers, each with its own marker and line
#: in its figure: networks and methods over visual features have one each.
STYLES: dict[str, dict[str, Any]] = {
    "CNN + Softmax": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "CNN + Ranking": {"color": "#E69F00", "marker": "s", "linestyle": "--"},
    "CNN + WARP": {"color": "#A0195B", "marker": "^", "linestyle": "-."},
    "Visual Feature + kNN": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "Visual Feature + SVM": {"color": "#E69F00", "marker": "s", "linestyle": "--"},
    "Visual Feature + JEC": {"color": "#009E73", "marker": "D", "linestyle": ":"},
    "Visual Feature + TagProp": {"color": "#A0195B", "marker": "^", "linestyle": "-."},
    "Visual Feature + 2PKNN": {"color": "#56B4E9", "marker": "v", "linestyle": (0, (5, 1))},
}
#: More tags than this cannot be labelled one by one; they are averaged in bins.
MAX_LABELLED_TAGS = 100
MAX_LABEL_LENGTH = 30
NUM_BINS = 25


def plot_by_frequency(
    evaluation: Evaluation,
    figure: Literal["recall", "precision"],
    path: str | os.PathLike,
    methods: Sequence[str] | None = None,
) -> Path:
    """Plot the recall or precision of every tag at the first k, one series a method.

    Tags run from the most to the least frequent in training; those without a positive test image
    are left out. Lines are means over seeds, bands reach from the lowest to the highest seed. More
    than 100 tags are averaged in 25 bins of equally many tags.

    Args:
        evaluation: the measured scores.
        figure: `recall` (figure 2 of the paper) or `precision` (figure 3).
        path: where the PNG goes.
        methods: some of `STYLES`; None for the networks, as the paper has it.

    Raises:
        ValueError: no method has scores, or no tag has a positive test image.

    Example:
        >>> plot_by_frequency(evaluation, "recall", "recall_by_frequency.png")
        PosixPath('recall_by_frequency.png')
    """
    order = evaluation.frequency_order
    order = order[evaluation.test_counts[order] > 0]
    methods = evaluation.cnn_methods if methods is None else methods
    if not methods or len(order) == 0:
        raise ValueError("this plot needs scores of a method and a tag with a positive test image")
    k = evaluation.ks[0]
    binned = len(order) > MAX_LABELLED_TAGS
    groups = np.array_split(order, NUM_BINS if binned else len(order))
    places = np.arange(len(groups))

    canvas = Figure(figsize=(12, 6), layout="constrained")
    axes, counts = canvas.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    for method in methods:
        per_tag = evaluation.per_tag(method, k)[0 if figure == "recall" else 1]
        values = np.stack([per_tag[:, group].mean(axis=1) for group in groups], axis=1)
        style = STYLES[method]
        axes.plot(
            places,
            values.mean(axis=0),
            label=method.removeprefix("Visual Feature + "),
            ms=4.5,
            lw=1.4,
            clip_on=False,
            **style,
        )
        if len(values) > 1:
            band = values.min(axis=0), values.max(axis=0)
            axes.fill_between(places, *band, color=style["color"], alpha=0.15, lw=0)
    averaged = "mean over the tags of a bin, " if binned else ""
    over = ", over visual features" if methods[0].startswith("Visual Feature") else ""
    axes.set_title(
        f"Per-class {figure} at k = {k} on {describe(evaluation)}{over}\n"
        f"{averaged}{seeds_note(evaluation, methods)}",
        loc="left",
        fontsize=12,
        parse_math=False,
    )
    axes.set_ylabel(f"{figure} (%)")
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.7, len(groups) - 0.3)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.07), ncols=len(methods), frameon=False)

    train_counts = np.asarray(evaluation.train_counts, float)
    # A logarithmic axis has no place for a tag without a training image; it gets no bar.
    counts.bar(places, [train_counts[group].mean() for group in groups], color="#888888", width=0.7)
    if train_counts[order].max() > 0:
        counts.set_yscale("log")
        counts.set_ylim(bottom=0.8)
    counts.set_ylabel("training\nimages")
    if binned:
        ends = np.cumsum([len(group) for group in groups])
        labels = [f"{end - len(group) + 1}–{end}" for group, end in zip(groups, ends, strict=True)]
        counts.set_xlabel(
            f"rank of the tag by training frequency ({len(order)} tags with a test image)"
        )
        counts.set_xticks(
            places, labels, rotation=45, fontsize=9, ha="right", rotation_mode="anchor"
        )
    else:
        labels = [_fit(evaluation.tag_names[tag]) for tag in order]
        size = 8 if len(labels) > 50 else 10
        counts.set_xlabel("tags, most frequent in training first")
        counts.set_xticks(places, labels, rotation=90, fontsize=size, parse_math=False)
    for panel in (axes, counts):
        panel.grid(axis="x", color="#eeeeee", lw=0.6)
        panel.grid(axis="y", color="#dddddd", lw=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    return write_figure(path, canvas)


def describe(evaluation: Evaluation) -> str:
    """The data set's name for a title, with a warning when it is synthetic."""
    title = evaluation.title or "unnamed data"
    if evaluation.synthetic and "synthetic" not in title.lower():
        title += " (synthetic)"
    return title


def _fit(name: str) -> str:
    """A longer name would leave no room for the plot."""
    return name if len(name) <= MAX_LABEL_LENGTH else name[: MAX_LABEL_LENGTH - 1] + "…"


def seeds_note(evaluation: Evaluation, methods: Sequence[str]) -> str:
    """How many seeds the lines of the methods average."""
    counts = {len(evaluation.scores[method]) for method in methods}
    if counts == {1}:
        return "one seed"
    number = str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"mean of {number} seeds, band: lowest to highest seed"
