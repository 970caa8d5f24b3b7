"""What the losses are meant to reach, and whether a run reached it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from benchmarks.losses.cases import KERAS_RS, LOOP, RANKING, SOFTMAX, WARP

#: The engines that compile, which the targets are for; eager PyTorch is only reported.
COMPILED = ("TensorFlow", "TensorFlow, XLA", "JAX, jit")
#: (loss, number of tags, scores) over another, how they compare, and the target.
TIMES: list[tuple] = [
    ((LOOP, 81, "trained"), (WARP, 81, "trained"), "at least", 5),
    ((LOOP, 10_000, "trained"), (WARP, 10_000, "trained"), "at least", 40),
    ((WARP, 10_000, "untrained"), (WARP, 1_000, "untrained"), "at most", 12),
    ((WARP, 100_000, "untrained"), (WARP, 10_000, "untrained"), "at most", 12),
]
#: WARP at 81 and at 100,000 tags over softmax: the target without a compiler, and with XLA.
OVER_SOFTMAX = {81: (1.5, 3), 100_000: (1.8, 4)}
PAIRS: list[tuple] = [
    ((KERAS_RS, 1_000, "untrained"), (RANKING, 1_000, "untrained"), "at least", 50),
    ((KERAS_RS, 5_000, "untrained"), (RANKING, 5_000, "untrained"), "at least", 1_000),
]


def judge_targets(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and engine: the measured ratio, the target, and the outcome."""
    measured = frame.set_index(["engine", "loss", "num_tags", "scores"])
    rows = []

    def judge(engine: str, what: str, value: float, comparison: str, target: float) -> None:
        met = value >= target if comparison == "at least" else value <= target
        outcome = "not measured" if math.isnan(value) else "met" if met else "**missed**"
        rows.append(
            {
                "engine": engine,
                "ratio": what,
                "measured": number(value),
                "target": f"{comparison} {target}",
                "outcome": outcome,
            }
        )

    for engine in COMPILED:
        plain = engine == "TensorFlow"
        over_softmax = [
            (
                (WARP, c, "untrained"),
                (SOFTMAX, c, "untrained"),
                "at most",
                without if plain else xla,
            )
            for c, (without, xla) in OVER_SOFTMAX.items()
        ]
        for one, other, *target in [*TIMES, *over_softmax, *(PAIRS if plain else [])]:
            times = [measured["milliseconds"].get((engine, *key), math.nan) for key in (one, other)]
            what = " / ".join(f"{loss}, c = {c}, {scores}" for loss, c, scores in (one, other))
            judge(engine, f"time: {what}", times[0] / times[1], *target)
        memory = measured["memory_over_scores"].get((engine, WARP, 100_000, "untrained"), math.nan)
        judge(engine, f"memory: {WARP}, c = 100000 / the scores", memory, "at most", 10)
    return pd.DataFrame(rows)


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")
