"""Checks of labels, features and parameters."""

from __future__ import annotations

import numpy as np

# Values per block, so that no check needs a mask of the size of a large array.
_BLOCK_VALUES = 2**24


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


def check_features(features) -> np.ndarray:
    """Features as a finite, C-contiguous float32 array (num_images, num_features).

    An array that already is one is not copied.

    Raises:
        TypeError: the features are a sparse matrix.
        ValueError: the features are not two-dimensional, are not numbers, or hold NaN or infinity.
    """
    from sklearn.utils import check_array

    if not hasattr(features, "shape"):
        features = np.asarray(features)
    shape = np.shape(features)
    # "Reshape your data" and "0 feature(s) ..." are what scikit-learn's checks look for.
    if len(shape) != 2:
        raise ValueError(
            f"X must be (num_images, num_features), got shape {shape}. Reshape your data"
        )
    if shape[1] == 0:
        raise ValueError(f"X has 0 feature(s) (shape={shape}) while a minimum of 1 is required.")
    with np.errstate(over="ignore"):  # becomes infinity, which is found below
        array = check_array(
            features,
            dtype=np.float32,
            order="C",
            ensure_all_finite=False,
            ensure_min_samples=0,
            input_name="X",
        )
    num_rows = max(1, _BLOCK_VALUES // array.shape[1])
    for start in range(0, len(array), num_rows):
        finite = np.isfinite(array[start : start + num_rows])
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise ValueError(
                f"X holds NaN or infinity (first at image {start + row}, feature {column})"
            )
    return array


def check_training_set(features, labels) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of the same images, of which there is at least one.

    Raises:
        ValueError: as `check_features` and `check_labels`, the lengths differ, or both are empty.
    """
    if labels is None:
        raise ValueError("fit requires y to be passed, but the target y is None; give Y")
    features, labels = check_features(features), check_labels(labels, "Y")
    if len(features) != len(labels):
        raise ValueError(
            f"X and Y must have one row per image, got {len(features)} and {len(labels)} rows"
        )
    if len(features) == 0:
        raise ValueError("X and Y are empty; give at least one training image")
    return features, labels


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
