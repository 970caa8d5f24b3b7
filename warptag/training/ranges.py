"""Ranges of numbers: what a setting may be."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Range:
    """The valid values of a number. NaN and infinity are in no range.

    Attributes:
        low: the lower bound.
        high: the upper bound.
        whole: whether only whole numbers are valid.
        low_open: whether the lower bound itself is not valid.
        high_open: whether the upper bound itself is not valid.

    Example:
        >>> share = Range(0, 1, high_open=True)
        >>> 0.5 in share, 1.0 in share, float("nan") in share
        (True, False, False)
        >>> print(share)
        a number of at least 0 and below 1
    """

    low: float
    high: float
    whole: bool = False
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number: Any = value
        above = self.low < number if self.low_open else self.low <= number
        below = number < self.high if self.high_open else number <= self.high
        return above and below

    def __str__(self) -> str:
        if self.whole:
            return f"a whole number from {self.low:,} to {self.high:,}"
        low = f"above {self.low:,}" if self.low_open else f"of at least {self.low:,}"
        high = f"below {self.high:,}" if self.high_open else f"at most {self.high:,}"
        return f"a number {low} and {high}"
