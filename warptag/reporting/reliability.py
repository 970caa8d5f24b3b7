"""reliability.png: do tags of probability p apply to a share p of the photographs?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from warptag.reporting.figure_file import write_figure
from warptag.reporting.plots import STYLES

NUM_BINS = 10
#: A bin of fewer (image, tag) pairs says nothing.
FEWEST_PAIRS = 20


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The expected calibration error over ten bins of equal width, as a fraction of 1.

    The mean over all known (image, tag) pairs of the distance between their bin's mean probability
    and the share of its pairs that are positive.

    Source: Naeini et al., AAAI 2015, section 2.

    Args:
        probabilities: (num_images, num_tags) in [0, 1].
        labels: (num_images, num_tags): 1, 0, or -1 for unknown, which is left out.

    Example:
        >>> probabilities = np.array([[0.25, 0.25, 0.25, 0.25]])
        >>> calibration_error(probabilities, np.array([[1, 0, 0, 0]]))
        0.0
    """
    means, shares, counts = _bins(probabilities, labels)
    used = counts > 0
    distances = np.abs(means[used] - shares[used])
    return float((distances * counts[used]).sum() / counts.sum())


def plot_reliability(
    probabilities: Mapping[str, np.ndarray],
    labels: np.ndarray,
    path: str | os.PathLike,
    title: str = "",
) -> Path:
    """Plot the share of positives over the probability, and how many pairs each point stands for.

    Args:
        probabilities: method -> (num_images, num_tags) in [0, 1], of images that neither the
            network nor its calibration was fitted to.
        labels: (num_images, num_tags): 1, 0, or -1 for unknown.
        path: where the PNG goes.
        title: heading.

    Example:
        >>> probabilities = {"CNN + WARP": np.array([[0.9, 0.1]])}
        >>> path = plot_reliability(probabilities, np.array([[1, 0]]), "reliability.png")
    """
    figure = Figure(figsize=(7, 7), layout="constrained")
    shares_panel, counts_panel = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    shares_panel.plot([0, 1], [0, 1], color="#999999", lw=1, ls="--", label="as it should be")
    for method, values in probabilities.items():
        means, shares, counts = _bins(values, labels)
        used = counts >= FEWEST_PAIRS
        error = calibration_error(values, labels)
        style = STYLES[method]
        shares_panel.plot(
            means[used],
            shares[used],
            label=f"{method}: mean distance {100 * error:.2f} points",
            **style,
        )
        counts_panel.plot(means[counts > 0], counts[counts > 0], **style)
    shares_panel.set_ylabel("share of these tags that are true")
    shares_panel.legend(frameon=False, fontsize=9, loc="upper left")
    counts_panel.set_ylabel("image and tag pairs")
    counts_panel.set_yscale("log")
    counts_panel.set_xlabel("probability given to a tag")
    for panel in (shares_panel, counts_panel):
        panel.grid(color="#dddddd", lw=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlim(0, 1)
    shares_panel.set_ylim(0, 1)
    figure.suptitle(title, fontsize=12, parse_math=False)
    return write_figure(path, figure)


def _bins(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, share of positives and number of pairs of each bin; NaN where empty."""
    known = labels >= 0
    values, positive = probabilities[known].astype(np.float64), labels[known] == 1
    places = np.minimum((values * NUM_BINS).astype(int), NUM_BINS - 1)
    counts = np.bincount(places, minlength=NUM_BINS)
    with np.errstate(invalid="ignore"):
        means = np.bincount(places, values, minlength=NUM_BINS) / counts
        shares = np.bincount(places, positive, minlength=NUM_BINS) / counts
    return means, shares, counts
