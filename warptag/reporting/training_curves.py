"""training_curves.png: loss and validation figures by epoch."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from warptag.reporting.evaluation import CNN_METHODS
from warptag.reporting.figure_file import write_figure
from warptag.reporting.plots import STYLES

COLUMNS = 3


def plot_training_curves(
    histories: dict[str, list[pd.DataFrame]], path: str | os.PathLike, title: str = ""
) -> Path:
    """Plot the loss of every network in a panel of its own, then each validation figure.

    The losses are on different scales, so they share no panel; the validation figures do.

    Args:
        histories: method -> one frame a seed with the columns `epoch`, `loss` and any of
            `val_loss`, `val_<figure>`; figures as fractions of 1, as Keras logs them.
        path: where the PNG goes.
        title: heading of the whole figure.

    Raises:
        ValueError: no history, an unknown method, or a frame without `epoch` and `loss`.

    Example:
        >>> frame = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.5]})
        >>> plot_training_curves({"CNN + WARP": [frame]}, "curves.png")
        PosixPath('curves.png')
    """
    _check(histories)
    methods = [method for method in CNN_METHODS if histories.get(method)]
    figures: list[str] = []
    for method in methods:
        for frame in histories[method]:
            names = (name for name in frame.columns if name.startswith("val_"))
            figures += [name for name in names if name not in (*figures, "val_loss")]

    num_rows = 1 + -(-len(figures) // COLUMNS)
    canvas = Figure(figsize=(12, 3.0 * num_rows + 0.7), layout="constrained")
    panels = canvas.subplots(num_rows, COLUMNS, squeeze=False)
    for panel, method in zip(panels[0], methods, strict=False):
        _draw(panel, histories[method], "loss", method)
        if any("val_loss" in frame for frame in histories[method]):
            _draw(panel, histories[method], "val_loss", method, validation=True)
            panel.legend(frameon=False, fontsize=9)
        panel.set_title(f"{method}: loss", fontsize=11)
    for panel, name in zip(panels[1:].flat, figures, strict=False):
        for method in methods:
            _draw(panel, histories[method], name, method)
        panel.set_title(heading(name), fontsize=11)
        panel.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
        panel.set_ylim(bottom=0)
    used = [*panels[0][: len(methods)], *panels[1:].flat[: len(figures)]]
    for panel in panels.flat:
        panel.set_visible(any(panel is one for one in used))
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        panel.grid(color="#dddddd", lw=0.8)
        panel.spines[["top", "right"]].set_visible(False)
    if figures:
        handles, labels = panels[1][0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    canvas.suptitle(f"{title}\n{_seeds(histories, methods)}".strip(), fontsize=12, parse_math=False)
    return write_figure(path, canvas)


def _check(histories: dict[str, list[pd.DataFrame]]) -> None:
    unknown = set(histories) - set(CNN_METHODS)
    if unknown:
        raise ValueError(
            f"unknown method {sorted(unknown)[0]!r}; expected one of {', '.join(CNN_METHODS)}"
        )
    if not any(histories.values()):
        raise ValueError("there is no training history to plot")
    for method, frames in histories.items():
        for seed, frame in enumerate(frames):
            if not {"epoch", "loss"} <= set(frame.columns):
                raise ValueError(
                    f"{method}, seed {seed}: a history needs the columns epoch and loss, "
                    f"got {', '.join(map(str, frame.columns))}"
                )


def _draw(panel, frames: list[pd.DataFrame], name: str, method: str, validation=False) -> None:
    """A thin line a seed and a thick one for their mean."""
    frames = [frame for frame in frames if name in frame]
    if not frames:
        return
    style = dict(STYLES[method])
    label = method
    if name.endswith("loss"):
        label = "validation" if validation else "training"
        style["linestyle"] = ":" if validation else "-"
        style["markerfacecolor"] = "white" if validation else style["color"]
    if len(frames) > 1:
        for frame in frames:
            panel.plot(frame["epoch"], frame[name], color=style["color"], lw=0.7, alpha=0.45)
    mean = pd.concat(frames).groupby("epoch")[name].mean()
    every = max(1, len(mean) // 10)
    panel.plot(mean.index, mean, label=label, lw=1.8, markersize=4.5, markevery=every, **style)


def heading(name: str) -> str:
    """A column of a history in words."""
    words = name.removeprefix("val_").replace("_", " ").replace("per class", "per-class")
    return f"validation {words.replace('n plus', 'N+')}"


def _seeds(histories: dict[str, list[pd.DataFrame]], methods: list[str]) -> str:
    counts = {len(histories[method]) for method in methods}
    if counts == {1}:
        return "one seed"
    number = str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"{number} seeds: thin lines, their mean: thick line"
