"""Do tags of probability p apply to a share p of the photographs? As a table and as a chart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from warptag.methods import METHOD, METHODS
from warptag.reporting.charts import Chart, in_style, style_of

NUM_BINS = 10
#: A bin with fewer (image, tag) pairs says nothing.
MIN_PAIRS = 20


def reliability_table(probabilities: Mapping[str, np.ndarray], labels: np.ndarray) -> pd.DataFrame:
    """Predicted and observed shares of tags, in ten bins of probability of equal width.

    Args:
        probabilities: id of a method -> (num_images, num_tags) in [0, 1], of images that neither
            the network nor its calibration was fitted to.
        labels: (num_images, num_tags): 1, 0, or -1 for unknown, which is left out.

    Returns:
        One row per method and bin that is not empty: `method`, the mean `probability`, the
        `share` of positive (image, tag) pairs, and the number of `pairs`.

    Example:
        >>> table = reliability_table({"warp": np.array([[0.9, 0.1]])}, np.array([[1, 0]]))
        >>> table["share"].tolist()
        [0.0, 1.0]
    """
    known = labels >= 0
    tables = []
    for method, array in probabilities.items():
        values = array[known].astype(np.float64)
        pairs = pd.DataFrame({"probability": values, "share": labels[known] == 1})
        bins = pairs.groupby(np.minimum((values * NUM_BINS).astype(int), NUM_BINS - 1))
        table = bins.mean().assign(pairs=bins.size()).reset_index(drop=True)
        table.insert(0, "method", METHOD[method].label)
        tables.append(table)
    return pd.concat(tables, ignore_index=True).round(4)


def calibration_error(table: pd.DataFrame) -> float:
    """The expected calibration error of one method, as a fraction of 1.

    The mean over all known (image, tag) pairs of the distance between their bin's mean probability
    and the share of its pairs that are positive.

    Source: Naeini et al., AAAI 2015, section 2.

    Args:
        table: the rows of the method in a frame as `reliability_table` returns it.

    Example:
        >>> labels = np.array([[1, 0, 0, 0]])
        >>> calibration_error(reliability_table({"warp": np.full((1, 4), 0.25)}, labels))
        0.0
    """
    distances = (table["probability"] - table["share"]).abs()
    return float(np.average(distances, weights=table["pairs"]))


@in_style
def reliability_chart(table: pd.DataFrame, title: str) -> Chart:
    """The share of positives over the probability, and how many pairs each point represents.

    Args:
        table: a frame as `reliability_table` returns it.
        title: the name of the data.
    """
    figure = Figure(figsize=(7, 7))
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    shares.plot([0, 1], [0, 1], color="#777777", lw=1, ls="--", label="perfectly calibrated")
    words = []
    for method in METHODS:
        rows = table[table["method"] == method.label]
        if len(rows):
            words.append(f"{method.label}: {100 * calibration_error(rows):.2f} points")
            used = rows[rows["pairs"] >= MIN_PAIRS]
            style = style_of(method)
            shares.plot(used["probability"], used["share"], label=words[-1], **style)
            counts.plot(rows["probability"], rows["pairs"], **style)
    shares.set_ylabel("share of these tags that are true")
    shares.legend(
        fontsize=9, loc="upper left", title="mean distance from the line", alignment="left"
    )
    shares.set(xlim=(0, 1), ylim=(0, 1))
    counts.set_ylabel("image and tag pairs")
    counts.set_yscale("log")
    counts.set_ylim(bottom=0.8)
    counts.yaxis.set_major_formatter("{x:,g}")
    counts.yaxis.set_minor_formatter("")
    counts.set_xlabel("probability given to a tag")
    title = f"Probabilities of tags on {title}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    description = f"Mean distance of the share from the probability. {'; '.join(words)}."
    return Chart("reliability", title, description, figure)
