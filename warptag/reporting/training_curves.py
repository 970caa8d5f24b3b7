"""The chart of the training: losses and validation metrics by epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from warptag.methods import METHODS, Method
from warptag.reporting.charts import (
    MAX_LEGEND_COLUMNS,
    Chart,
    in_style,
    seeds_text,
    style_of,
)
from warptag.reporting.evaluation import METRICS

COLUMNS = 3
#: More points do not show, and would make the report page large.
MAX_EPOCHS = 200
#: A loss beyond it would overflow in the drawing.
MAX_VALUE = 1e300


@in_style
def training_chart(history: pd.DataFrame, title: str) -> Chart | None:
    """The losses of every network in a panel of its own, then each validation metric.

    The losses are on different scales, so they share no panel; the validation metrics do.

    Args:
        history: a frame as `history_table` returns it.
        title: the name of the data.

    Returns:
        The chart; None if the history is not of a known network.
    """
    found = set(history["method"])
    methods = [method for method in METHODS if method.kind == "network" and method.label in found]
    if not methods:
        return None
    metrics = [name for name in history if name.startswith("val_") and name != "val_loss"]
    history = history.set_index(["method", "seed", "epoch"])
    history = history.where(history.abs() < MAX_VALUE).reset_index()
    kept = spread(sorted(set(history["epoch"])), MAX_EPOCHS)
    history = history[history["epoch"].isin(kept)]
    runs = {method.id: history[history["method"] == method.label] for method in methods}

    num_loss_rows = -(-len(methods) // COLUMNS)
    num_rows = num_loss_rows + -(-len(metrics) // COLUMNS)
    figure = Figure(figsize=(12, 3.0 * num_rows + 0.7))
    panels = list(figure.subplots(num_rows, COLUMNS, squeeze=False).flat)
    for panel, method in zip(panels, methods, strict=False):
        _draw(panel, runs[method.id], "loss", method, "training", linestyle="-")
        if "val_loss" in history:
            dotted = {"linestyle": ":", "markerfacecolor": "none"}
            _draw(panel, runs[method.id], "val_loss", method, "validation", **dotted)
        if panel.has_data():
            panel.legend(fontsize=9)
        panel.set_title(f"{method.label}: loss", fontsize=11)
    metric_panels = panels[num_loss_rows * COLUMNS :]
    for panel, name in zip(metric_panels, metrics, strict=False):
        for method in methods:
            _draw(panel, runs[method.id], name, method, method.label)
        panel.set_title(heading(name), fontsize=11)
        panel.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
        panel.set_ylim(bottom=0)
    for panel in panels:
        panel.set_visible(panel.has_data())
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    if metrics:
        handles, labels = metric_panels[0].get_legend_handles_labels()
        num_columns = min(len(methods), MAX_LEGEND_COLUMNS)
        figure.legend(handles, labels, loc="outside lower left", ncols=num_columns)
    num_seeds = {run["seed"].nunique() for run in runs.values()}
    note = "" if num_seeds == {1} else f"\nthin: {seeds_text(num_seeds)}; thick: their mean"
    title = f"Training on {title}"
    figure.suptitle(title + note, x=0.01, ha="left", fontsize=12)
    words = [f"{method.label}: {_change(runs[method.id])}" for method in methods]
    description = f"Mean training loss of the first and of the last epoch. {'; '.join(words)}."
    return Chart("training_curves", title, description, figure)


def _draw(panel, runs: pd.DataFrame, name: str, method: Method, label: str, **changes) -> None:
    """A thin line per seed and a thick one for their mean."""
    style = style_of(method) | changes
    seeds = [run for _, run in runs.dropna(subset=[name]).groupby("seed")]
    if not seeds:
        return
    if len(seeds) > 1:
        for run in seeds:
            panel.plot(run["epoch"], run[name], color=style["color"], lw=0.7, alpha=0.45)
    mean = pd.concat(seeds).groupby("epoch")[name].mean()
    every = max(1, len(mean) // 10)
    panel.plot(mean.index, mean, label=label, lw=1.8, markevery=every, **style)


def _change(runs: pd.DataFrame) -> str:
    loss = runs.groupby("epoch")["loss"].mean()
    return f"{loss.iloc[0]:.4g} and {loss.iloc[-1]:.4g}"


def heading(name: str) -> str:
    """The label of a column of a history, such as "validation N+" of `val_n_plus`."""
    metric = name.removeprefix("val_")
    return f"validation {METRICS.get(metric, metric.replace('_', ' '))}"


def spread(values: list, max_values: int) -> list:
    """At most so many of the values, evenly spread, the first and the last among them.

    Example:
        >>> spread([1, 2, 3, 4, 5], 3)
        [1, 3, 5]
    """
    number = min(max_values, len(values))
    return [values[int(place)] for place in np.linspace(0, len(values) - 1, number)]
