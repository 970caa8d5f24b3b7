"""Checks of labels and parameters; scikit-learn checks features."""

from __future__ import annotations

import numpy as np


def check_labels(labels, name: str) -> np.ndarray:
    """Labels as an int8 array (num_images, num_tags) of 1, 0 and -1 (unknown).

    Raises:
        ValueError: the labels are not two-dimensional, have no tags or hold another value.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} must be (num_images, num_tags), got shape {array.shape}")
    allowed = np.isin(array, (-1, 0, 1))
    if not allowed.all():
        row, tag = np.argwhere(~allowed)[0]
        raise ValueError(
            f"{name} must hold 1, 0 or -1 (unknown), "
            f"got {array[row, tag]} at image {row}, tag {tag}"
        )
    return array.astype(np.int8)


def check_count(name: str, value, minimum: int = 1) -> None:
    """Raises ValueError unless the value is an integer of at least `minimum`."""
    if not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")


def check_positive(name: str, value) -> None:
    """Raises ValueError unless the value is a finite number above 0."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """Raises ValueError unless the value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
