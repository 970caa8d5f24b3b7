"""When the learning rate and the weight decay fall, and when a run stops early."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from warptag.training.settings import TrainingSettings


def staircase(
    value: float, boundaries: Sequence[int], factor: float
) -> float | keras.optimizers.schedules.PiecewiseConstantDecay:
    """Multiply a value by a factor at given steps.

    Args:
        value: at the start, positive.
        boundaries: increasing numbers of steps after which the value falls; none: it stays.
        factor: what each fall multiplies it by.

    Example:
        >>> schedule = staircase(0.002, boundaries=[50], factor=0.1)
        >>> [round(float(schedule(step)), 6) for step in (0, 99)]
        [0.002, 0.0002]
    """
    if not boundaries:
        return value
    values = [value * factor**falls for falls in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(list(boundaries), values)


def boundaries(settings: TrainingSettings, steps_per_epoch: int) -> list[int]:
    """The steps after which the staircase of the settings falls."""
    unit = {
        "share": steps_per_epoch * settings.epochs,
        "epoch": steps_per_epoch,
        "step": 1,
    }[settings.decay_unit]
    return [round(at * unit) for at in settings.decay_at]


def learning_rate(settings: TrainingSettings, steps_per_epoch: int):
    """A number, or a schedule over the optimizer's steps."""
    rate = settings.first_learning_rate
    if settings.schedule == "staircase" and settings.staircase_of != "weight_decay":
        return staircase(rate, boundaries(settings, steps_per_epoch), settings.decay_factor)
    return rate


def weight_decay(settings: TrainingSettings, steps_per_epoch: int):
    """A number, or a schedule over the optimizer's steps."""
    if settings.schedule == "staircase" and settings.staircase_of != "learning_rate":
        places = boundaries(settings, steps_per_epoch)
        return staircase(settings.weight_decay, places, settings.decay_factor)
    return settings.weight_decay


def epochs_since_best(figures: Sequence[float]) -> int:
    """How many epochs ago the highest validation figure was first reached; 0 at the first epoch.

    Args:
        figures: one an epoch, at least one.
    """
    return len(figures) - 1 - list(figures).index(max(figures))


def plateau_falls(figures: Sequence[float], patience: int) -> int:
    """How often the rate has fallen: once after every `patience` epochs without a better figure.

    It follows from the figures of all epochs so far, so that a resumed run needs no other state.

    Example:
        >>> plateau_falls([0.1, 0.2, 0.2, 0.2, 0.2, 0.3], patience=2)
        1
    """
    falls = waited = 0
    best = float("-inf")
    for figure in figures:
        if figure > best:
            best, waited = figure, 0
        else:
            waited += 1
        if waited == patience:
            falls, waited = falls + 1, 0
    return falls
