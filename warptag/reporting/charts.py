"""Line charts for the report page: places in percent of the plot, drawn as SVG by the template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

#: Beyond it differences overflow; NaN is no smaller either.
LARGEST = 1e300


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        label: name in the legend.
        style: number of its colour, dash and marker in the style sheet.
        path: points of the SVG polyline.
        markers: x, y and the text shown on hovering, of every marked point.
        thin: whether it is one seed's line behind a mean.
    """

    label: str
    style: int
    path: str
    markers: list[tuple[float, float, str]] = field(default_factory=list)
    thin: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart in percent of its width and height, from the top left.

    Attributes:
        identifier: of the SVG element; unique in a page.
        title: what it shows.
        description: the same in words, with numbers, for those who do not see it.
        lines: what is drawn; thin ones first.
        y_ticks: place and label.
        x_ticks: place and label.
        x_label: what runs along x.
        bars: x, width and height of the bars below, empty for none.
        bars_label: what they are.
    """

    identifier: str
    title: str
    description: str
    lines: list[Line]
    y_ticks: list[tuple[float, str]]
    x_ticks: list[tuple[float, str]]
    x_label: str
    bars: list[tuple[float, float, float]] = field(default_factory=list)
    bars_label: str = ""


class Axis:
    """Values to places: from `low` at the bottom to `high` at the top, both round numbers.

    Args:
        values: what is to be shown; NaN and infinite ones are not.
        from_zero: whether the axis begins at 0.
        num_steps: how many intervals there are about.

    Example:
        >>> axis = Axis([3.0, 41.0])
        >>> axis.ticks[-1], axis.place(25.0)
        ((0.0, '50'), 50.0)
    """

    def __init__(self, values: Sequence[float], from_zero: bool = True, num_steps: int = 5):
        finite = [value for value in values if abs(value) < LARGEST] or [0.0]
        lowest, highest = min(finite), max(finite)
        if from_zero:
            lowest = min(0.0, lowest)
        if highest <= lowest:
            highest = lowest + 1
        raw = (highest - lowest) / num_steps
        magnitude = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw)
        first, last = math.floor(lowest / step), math.ceil(highest / step)
        self._low, self._high = first * step, last * step
        digits = max(0, -math.floor(math.log10(step)))
        self.ticks = [
            (self.place(number * step), f"{number * step:.{digits}f}")
            for number in range(first, last + 1)
        ]

    def place(self, value: float) -> float:
        """Percent from the top."""
        return round(100 * (self._high - value) / (self._high - self._low), 2)


def polyline(places: Sequence[tuple[float, float]]) -> str:
    """The points attribute of an SVG polyline."""
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def spread_ticks(labels: Sequence[str], most: int) -> list[int]:
    """Indices of at most so many labels, evenly spread, the first and the last among them."""
    return sorted({int(index) for index in np.linspace(0, len(labels) - 1, min(most, len(labels)))})
