"""The charts of the report page: figures by frequency of the tag, and training curves."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from warptag.reporting.charts import Axis, Chart, Line, polyline, spread_ticks
from warptag.reporting.evaluation import CNN_METHODS
from warptag.reporting.plots import MAX_LABELLED_TAGS, NUM_BINS, STYLES
from warptag.reporting.training_curves import heading

#: Colour, dash and marker of a method in the style sheet: as in the plots, each once in a chart.
_COLORS = list(dict.fromkeys(style["color"] for style in STYLES.values()))
MAX_POINTS = 200


def method_style(method: str) -> int:
    """Number of a method's style."""
    return _COLORS.index(STYLES[method]["color"]) if method in STYLES else 0


def methods_of(per_class: pd.DataFrame) -> list[str]:
    """The methods of per_class.csv, in its order."""
    return [name.removesuffix(" recall") for name in per_class if name.endswith(" recall")]


def frequency_charts(per_class: pd.DataFrame, k: int) -> list[Chart]:
    """Recall and precision of every tag, most frequent first: figures 2 and 3 of the paper.

    Args:
        per_class: as from `per_class_table`.
        k: tags an image.

    Returns:
        Two charts for the networks and two for the methods over visual features, as far as there
        are such; none where no tag has a test image.
    """
    table = per_class[per_class["test_count"] > 0]
    methods = methods_of(table)
    groups = {
        "networks": [method for method in methods if method in CNN_METHODS],
        "features": [method for method in methods if method.startswith("Visual Feature")],
    }
    return [
        _frequency_chart(table, some, figure, k, f"{group}-{figure}")
        for group, some in groups.items()
        for figure in ("recall", "precision")
        if some and len(table)
    ]


def _frequency_chart(
    table: pd.DataFrame,
    methods: list[str],
    figure: Literal["recall", "precision"],
    k: int,
    identifier: str,
) -> Chart:
    binned = len(table) > MAX_LABELLED_TAGS
    bins = np.array_split(np.arange(len(table)), NUM_BINS if binned else len(table))
    centres = [100 * (place + 0.5) / len(bins) for place in range(len(bins))]
    names = [
        f"tags {rows[0] + 1} to {rows[-1] + 1}" if binned else str(table["tag"].iloc[rows[0]])
        for rows in bins
    ]
    counts = np.array([table["train_count"].to_numpy()[rows].mean() for rows in bins])
    values = {
        method: [table[f"{method} {figure}"].to_numpy()[rows].mean() for rows in bins]
        for method in methods
    }
    axis = Axis([value for some in values.values() for value in some])
    lines = []
    for method, some in values.items():
        places = [(round(x, 2), axis.place(y)) for x, y in zip(centres, some, strict=True)]
        markers = [
            (*place, f"{name}: {value:.1f}%, {count:,.0f} training images ({method})")
            for place, name, value, count in zip(places, names, some, counts, strict=True)
        ]
        lines.append(Line(method, method_style(method), polyline(places), markers))
    halves = np.array_split(np.arange(len(table)), 2)
    in_words = "; ".join(
        f"{method}: {table[f'{method} {figure}'].to_numpy()[halves[0]].mean():.1f}% on the more "
        f"frequent half of the tags"
        + (
            f", {table[f'{method} {figure}'].to_numpy()[halves[1]].mean():.1f}% on the rarer half"
            if len(halves[1])
            else ""
        )
        for method in methods
    )
    heights = np.log1p(counts) / max(np.log1p(counts).max(), 1e-9)
    width = 100 / len(bins)
    over = ", over visual features" if identifier.startswith("features") else ""
    ticks = spread_ticks(names, 6)
    return Chart(
        identifier=identifier,
        title=f"Per-class {figure} at k = {k}{over}",
        description=f"Mean {figure}. {in_words}.",
        lines=lines,
        y_ticks=[(place, f"{label}%") for place, label in axis.ticks],
        x_ticks=[(round(centres[tick], 2), f"{bins[tick][0] + 1}") for tick in ticks],
        x_label="rank of the tag by number of training images"
        + (f", means of {len(bins)} bins" if binned else ""),
        bars=[
            (round(x - 0.4 * width, 2), round(0.8 * width, 2), round(100 * float(height), 1))
            for x, height in zip(centres, heights, strict=True)
        ],
        bars_label=f"training images, logarithmic: {counts[0]:,.0f} to {counts[-1]:,.0f}",
    )


def training_charts(history: pd.DataFrame) -> list[Chart]:
    """The loss of every network in a chart of its own, then each validation figure.

    Args:
        history: as in history.csv; figures as fractions of 1.
    """
    methods = list(dict.fromkeys(history["method"]))
    charts = [
        _curve_chart(
            history[history["method"] == method], "loss", f"{method}: loss", f"loss-{number}"
        )
        for number, method in enumerate(methods)
    ]
    figures = [name for name in history if name.startswith("val_") and name != "val_loss"]
    charts += [
        _curve_chart(history, name, f"{heading(name)}", name.replace("_", "-"), percent=True)
        for name in figures
    ]
    return charts


def _curve_chart(
    history: pd.DataFrame, name: str, title: str, identifier: str, percent: bool = False
) -> Chart:
    factor, unit = (100, "%") if percent else (1, "")
    last_epoch, first_epoch = history["epoch"].max(), history["epoch"].min()
    span = max(1, last_epoch - first_epoch)
    axis = Axis(list(factor * history[name].dropna()), from_zero=percent, num_steps=4)

    def places(values: pd.Series) -> list[tuple[float, float]]:
        values = values.dropna()
        kept = values.iloc[spread_ticks([""] * len(values), MAX_POINTS)] if len(values) else values
        return [
            (round(float(100 * (epoch - first_epoch) / span), 2), axis.place(factor * value))
            for epoch, value in kept.items()
        ]

    thin, thick, in_words = [], [], []
    for method, rows in history.groupby("method", sort=False):
        style = method_style(str(method))
        seeds = [run.set_index("epoch")[name] for _, run in rows.groupby("seed")]
        mean = rows.groupby("epoch")[name].mean()
        if len(seeds) > 1:
            thin += [Line(str(method), style, polyline(places(seed)), thin=True) for seed in seeds]
        marked = mean.dropna()
        marked = marked.iloc[spread_ticks([""] * len(marked), 12)] if len(marked) else marked
        markers = [
            (*place, f"epoch {epoch}: {factor * value:.4g}{unit} ({method})")
            for place, (epoch, value) in zip(places(marked), marked.items(), strict=True)
        ]
        thick.append(Line(str(method), style, polyline(places(mean)), markers))
        if len(marked):
            first, last = factor * marked.iloc[0], factor * marked.iloc[-1]
            in_words.append(f"{method}: from {first:.4g}{unit} to {last:.4g}{unit}")
    epochs = sorted(set(history["epoch"]))
    return Chart(
        identifier=identifier,
        title=title,
        description=f"Epochs {first_epoch} to {last_epoch}. {'; '.join(in_words)}.",
        lines=[*thin, *thick],
        y_ticks=[(place, f"{label}{unit}") for place, label in axis.ticks],
        x_ticks=[
            (round(float(100 * (epochs[tick] - first_epoch) / span), 2), f"{epochs[tick]}")
            for tick in spread_ticks([""] * len(epochs), 5)
        ],
        x_label="epoch",
    )
