"""How every chart looks and is saved, and the charts of recall and precision by frequency.

The same matplotlib figure becomes a PNG in the folder of results and an SVG in the report page.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from warptag.methods import LOSSES, METHODS, Method

#: More tags than this cannot be labelled one by one; they are averaged in bins.
MAX_LABELLED_TAGS = 100
MAX_LABEL_LENGTH = 30
NUM_BINS = 25

#: Colours that colour-blind readers tell apart, each with a contrast of 4.5 on white, and each with
#: its own marker and line. The losses of networks and the methods over visual features, which share
#: no chart, both begin with the first.
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0072b2", "marker": "o", "linestyle": "-"},
    {"color": "#b35c00", "marker": "s", "linestyle": "--"},
    {"color": "#a0195b", "marker": "^", "linestyle": "-."},
    {"color": "#007a58", "marker": "D", "linestyle": ":"},
    {"color": "#44698c", "marker": "v", "linestyle": (0, (5, 1))},
    {"color": "#6b6b00", "marker": "P", "linestyle": (0, (3, 1, 1, 1, 1, 1))},
    {"color": "#6f42c1", "marker": "X", "linestyle": (0, (7, 3))},
)
#: What a pretrained network changes in the style of its loss.
_PRETRAINED = {"linestyle": (0, (1, 1)), "markerfacecolor": "white"}
#: More labels than this do not fit in one row of a legend.
MAX_LEGEND_COLUMNS = 6

#: The look of all charts; drawing and saving happen in it.
in_style = matplotlib.rc_context(
    {
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 12,
        "figure.constrained_layout.use": True,
        "grid.alpha": 0.3,
        "grid.color": "#888888",
        "legend.frameon": False,
        "lines.markersize": 4.5,
        # The names of tags and data sets are not formulas.
        "text.parse_math": False,
        # With a fixed salt the same figure gives the same bytes.
        "svg.hashsalt": "warptag",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans"],
    }
)


@dataclass(frozen=True)
class Chart:
    """A figure with its name and its description.

    Args:
        name: the name of its file, without ending.
        title: what the chart shows.
        description: the most important numbers in words, for readers who do not see the chart.
        figure: the drawing.
    """

    name: str
    title: str
    description: str
    figure: Figure


@in_style
def image_bytes(figure: Figure, format: Literal["png", "svg"]) -> bytes:
    """The figure as a PNG, or as an SVG with a transparent background; without dates."""
    buffer = io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[format]
    figure.savefig(buffer, format=format, dpi=150, metadata=metadata, transparent=format == "svg")
    return buffer.getvalue()


def style_of(method: Method) -> dict[str, Any]:
    """Arguments of `Axes.plot` for the line of a method, which are the same in every chart.

    A network has the colour and the marker of its loss; if it is pretrained, the marker is hollow
    and the line dotted.
    """
    if method.kind == "network":
        style = _STYLES[list(LOSSES).index(method.loss)]
        return style | _PRETRAINED if method.pretrained else style
    of_its_kind = [other.id for other in METHODS if other.kind == method.kind]
    return _STYLES[of_its_kind.index(method.id)]


def frequency_charts(per_class: pd.DataFrame, k: int, title: str) -> list[Chart]:
    """Recall and precision of every tag, most frequent first: the paper's figures 2 and 3.

    Lines are means over seeds; bands reach from the lowest to the highest seed. More than 100 tags
    are averaged in 25 bins of equally many tags. Tags without a test image are left out.

    Args:
        per_class: a frame as `per_class_table` returns it.
        k: the number of tags per image.
        title: the name of the data.

    Returns:
        Two charts of the networks and two of the methods over visual features, if the frame has
        any; none if no tag has a test image.
    """
    table = per_class[per_class["test_count"] > 0]
    charts = []
    for kind, prefix, over in (
        ("network", "", ""),
        ("features", "features_", ", over visual features"),
    ):
        for metric in ("recall", "precision"):
            methods = [
                method
                for method in METHODS
                if method.kind == kind and f"{method.label} {metric}" in table
            ]
            if methods and len(table):
                name = f"{prefix}{metric}_by_frequency"
                heading = f"Per-class {metric} at k = {k} on {title}{over}"
                charts.append(_frequency_chart(table, methods, metric, name, heading))
    return charts


@in_style
def _frequency_chart(
    table: pd.DataFrame, methods: list[Method], metric: str, name: str, title: str
) -> Chart:
    binned = len(table) > MAX_LABELLED_TAGS
    groups = np.array_split(np.arange(len(table)), NUM_BINS if binned else len(table))
    places = np.arange(len(groups))
    figure = Figure(figsize=(12, 6))
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))

    halves = np.array_split(np.arange(len(table)), 2)
    words, num_seeds = [], set()
    for method in methods:
        column = f"{method.label} {metric}"
        by_seed = [other for other in table if other.startswith(f"{column}, seed ")]
        num_seeds.add(len(by_seed) or 1)
        mean = table[column].to_numpy()
        style = style_of(method)
        values = [mean[group].mean() for group in groups]
        axes.plot(places, values, label=method.label, lw=1.4, clip_on=False, **style)
        if by_seed:
            seeds = table[by_seed].to_numpy()
            means = np.array([seeds[group].mean(axis=0) for group in groups])
            band = means.min(axis=1), means.max(axis=1)
            axes.fill_between(places, *band, color=style["color"], alpha=0.15, lw=0)
        frequent, rare = (f"{mean[half].mean():.1f}%" if len(half) else "none" for half in halves)
        words.append(f"{method.label}: {frequent} and {rare}")

    num_columns = min(len(methods), MAX_LEGEND_COLUMNS)
    num_rows = -(-len(methods) // num_columns)
    axes.set_title(f"{title}\n{_notes(binned, num_seeds)}".strip(), pad=14 + 14 * num_rows)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=num_columns, fontsize=9)
    axes.set_ylabel(f"{metric} (%)")
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.7, len(groups) - 0.3)
    for panel in (axes, counts):
        panel.tick_params(axis="x", length=0)
        panel.grid(axis="x", visible=False)
    train_counts = table["train_count"].to_numpy(float)
    # A logarithmic axis has no place for a tag without a training image; it gets no bar.
    counts.bar(places, [train_counts[group].mean() for group in groups], color="#888888", width=0.7)
    if train_counts.max() > 0:
        counts.set_yscale("log")
        counts.set_ylim(bottom=0.8)
    counts.yaxis.set_major_formatter("{x:,g}")
    counts.yaxis.set_minor_formatter("")
    counts.set_ylabel("training\nimages")
    if binned:
        labels = [f"{group[0] + 1}–{group[-1] + 1}" for group in groups]
        counts.set_xticks(
            places, labels, rotation=45, fontsize=9, ha="right", rotation_mode="anchor"
        )
        counts.set_xlabel(
            f"rank of the tag by training frequency ({len(table)} tags with a test image)"
        )
    else:
        labels = [shorten(tag, MAX_LABEL_LENGTH) for tag in table["tag"]]
        counts.set_xticks(places, labels, rotation=90, fontsize=8 if len(labels) > 50 else 10)
        counts.set_xlabel("tags, most frequent in training first")
    description = f"Mean {metric} of the more frequent and of the rarer half of the tags. "
    return Chart(name, title, description + "; ".join(words) + ".", figure)


def seeds_text(counts: set[int]) -> str:
    """Numbers of seeds in words, such as "2 to 3 seeds"."""
    number = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    return f"{number} {'seed' if counts == {1} else 'seeds'}"


def shorten(text: str, max_length: int) -> str:
    """The text, cut if it is longer."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def _notes(binned: bool, num_seeds: set[int]) -> str:
    notes = ["mean over the tags of a bin"] if binned else []
    if num_seeds != {1}:
        notes.append(f"mean of {seeds_text(num_seeds)}, band: lowest to highest seed")
    return "; ".join(notes)
