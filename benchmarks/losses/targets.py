"""What the losses were made to reach, and whether this run reached it."""

from __future__ import annotations

import math

import pandas as pd

from benchmarks.losses.cases import KERAS_RS, LOOP, RANKING, SOFTMAX, WARP

#: The engines that compile, for which the targets are set; eager PyTorch is only reported.
COMPILED = ("TensorFlow", "TensorFlow, XLA", "JAX, jit")


class Figures:
    """Look-ups in the measurements; NaN where there is none."""

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame.set_index(["engine", "loss", "num_tags", "scores"])

    def value(
        self, column: str, engine: str, name: str, num_tags: int, scores: str = "untrained"
    ) -> float:
        key = (engine, name, num_tags, scores)
        return float(self.frame[column].get(key, math.nan))

    def time(self, engine: str, name: str, num_tags: int, scores: str = "untrained") -> float:
        return self.value("milliseconds", engine, name, num_tags, scores)


def target_lines(frame: pd.DataFrame) -> list[str]:
    """One line a target and engine: what was measured, what was aimed at, met or missed."""
    figures = Figures(frame)
    lines = []
    for engine in COMPILED:
        lines += [
            _loop(figures, engine, 81, 5),
            _over_softmax(figures, engine, 81, 3),
            _loop(figures, engine, 10_000, 40),
            _over_softmax(figures, engine, 100_000, 4),
            _memory(figures, engine, 100_000, 10),
            _linear(figures, engine, 1_000, 12),
            _linear(figures, engine, 10_000, 12),
        ]
    lines += [_pairs(figures, 1_000, 50), _pairs(figures, 5_000, 1000)]
    return lines


def _loop(figures: Figures, engine: str, num_tags: int, target: float) -> str:
    trained, untrained = (
        figures.time(engine, LOOP, num_tags, scores) / figures.time(engine, WARP, num_tags, scores)
        for scores in ("trained", "untrained")
    )
    what = f"{engine}, c = {num_tags}: time of the sampling loop / WARP, trained scores"
    return _at_least(what, trained, target) + f" (untrained: {number(untrained)})"


def _over_softmax(figures: Figures, engine: str, num_tags: int, target: float) -> str:
    ratio = figures.time(engine, WARP, num_tags) / figures.time(engine, SOFTMAX, num_tags)
    return _at_most(f"{engine}, c = {num_tags}: time of WARP / MultilabelSoftmax", ratio, target)


def _memory(figures: Figures, engine: str, num_tags: int, target: float) -> str:
    ratio = figures.value("memory_over_scores", engine, WARP, num_tags)
    what = f"{engine}, c = {num_tags}: additional memory of WARP / size of the scores"
    megabytes, floor = (
        figures.value("memory_mb", engine, WARP, size) for size in (num_tags, 10_000)
    )
    more = f" ({number(megabytes)} MB; at c = 10000, mostly tracing, {number(floor)} MB)"
    return _at_most(what, ratio, target) + more


def _linear(figures: Figures, engine: str, num_tags: int, target: float) -> str:
    warp, softmax = (
        figures.time(engine, name, 10 * num_tags) / figures.time(engine, name, num_tags)
        for name in (WARP, SOFTMAX)
    )
    what = f"{engine}: time of WARP at c = {10 * num_tags} / at c = {num_tags}"
    return _at_most(what, warp, target) + f" (MultilabelSoftmax: {number(softmax)})"


def _pairs(figures: Figures, num_tags: int, target: float) -> str:
    ratio = figures.time("TensorFlow", KERAS_RS, num_tags) / figures.time(
        "TensorFlow", RANKING, num_tags
    )
    what = f"TensorFlow, c = {num_tags}: time of {KERAS_RS} / PairwiseRanking"
    return _at_least(what, ratio, target)


def _at_least(what: str, ratio: float, target: float) -> str:
    return _verdict(what, ratio, f"at least {target}", ratio >= target)


def _at_most(what: str, ratio: float, target: float) -> str:
    return _verdict(what, ratio, f"at most {target}", ratio <= target)


def _verdict(what: str, ratio: float, target: str, met: bool) -> str:
    outcome = "not measured" if math.isnan(ratio) else "met" if met else "**missed**"
    return f"{what}: {number(ratio)}, target {target}: {outcome}"


def number(value: float) -> str:
    """Three significant digits, not in powers of ten."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(0, digits)}f}"
