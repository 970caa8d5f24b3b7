"""Timing work that a GPU does in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from benchmarks.measuring import measure_in_turns, seconds_of

#: Makes so many calls, and returns when the GPU has computed them all.
Calls = Callable[[int], object]
#: Out of memory, no compiler, and the like.
FAILURES = (RuntimeError, MemoryError, ImportError)
MAX_CALLS = 1_000


def seconds_per_call(
    works: Mapping[str, Callable[[], Calls]], rounds: int, block_seconds: float
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Times works in turns, in blocks, since waiting for every call would take longer than it.

    Args:
        works: a function that prepares each work, by its name.
        rounds: the number of blocks of each.
        block_seconds: about how long a block takes.

    Returns:
        The seconds per call, with one column per work and one row per round, and what was raised
        by those that failed.
    """
    ready: dict[str, tuple[Calls, int]] = {}
    failures: dict[str, str] = {}
    for name, prepare in works.items():
        try:
            calls = prepare()
            calls(2)  # compiles
            one = seconds_of(partial(calls, 1))
            ready[name] = calls, min(MAX_CALLS, max(1, round(block_seconds / one)))
        except FAILURES as error:
            failures[name] = f"failed: {type(error).__name__}: {error}".splitlines()[0][:200]

    def measure(work: tuple[Calls, int]) -> float:
        calls, num_calls = work
        return seconds_of(partial(calls, num_calls)) / num_calls

    return measure_in_turns(ready, rounds, measure), failures


def rows_of(
    taken: pd.DataFrame, failures: dict[str, str], **fields: object
) -> Iterator[dict[str, object]]:
    """One row per work: the median milliseconds per call, or a note of what failed."""
    for name in taken:
        yield {**fields, "what": name, "milliseconds": 1000 * taken[name].median()}
    for name, note in failures.items():
        yield {**fields, "what": name, "note": note}
