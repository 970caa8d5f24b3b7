"""The learning rate as a staircase (the paper's "staircase weight decay", read as the rate's)."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def staircase(
    learning_rate: float, decay_at: Sequence[float], factor: float, num_steps: int
) -> keras.optimizers.schedules.PiecewiseConstantDecay:
    """Multiply the rate by a factor at given shares of the run.

    Args:
        learning_rate: the rate at the start, positive.
        decay_at: increasing shares of the run, in (0, 1), at which the rate falls.
        factor: what each fall multiplies it by.
        num_steps: steps of the whole run.

    Example:
        >>> schedule = staircase(0.002, decay_at=(0.5,), factor=0.1, num_steps=100)
        >>> [round(float(schedule(step)), 6) for step in (0, 99)]
        [0.002, 0.0002]
    """
    boundaries = [round(share * num_steps) for share in decay_at]
    values = [learning_rate * factor**falls for falls in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)
