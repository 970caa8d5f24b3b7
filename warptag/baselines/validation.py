"""Checks of labels and features, with one clear message each."""

from __future__ import annotations

import numpy as np


def check_labels(labels, name: str) -> np.ndarray:
    """Labels as an int8 array (num_images, num_tags) of 1, 0 and -1 (unknown).

    Raises:
        ValueError: not two-dimensional, no tags, or a value other than 1, 0 and -1.
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


def check_features(features, num_features: int | None = None) -> np.ndarray:
    """Features as a finite float32 array (num_images, num_features).

    Raises:
        ValueError: not two-dimensional, another width than `num_features`, or NaN or infinity.
    """
    array = np.asarray(features, np.float32)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"X must be (num_images, num_features), got shape {array.shape}")
    if num_features is not None and array.shape[1] != num_features:
        raise ValueError(f"X must have the {num_features} features of fit, got {array.shape[1]}")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"X holds NaN or infinity (first at image {row}, feature {column})")
    return array


def check_training_set(features, labels) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of the same images, at least one.

    Raises:
        ValueError: as `check_features` and `check_labels`, different lengths, or no image.
    """
    features, labels = check_features(features), check_labels(labels, "Y")
    if len(features) != len(labels):
        raise ValueError(
            f"X and Y must have one row an image, got {len(features)} and {len(labels)} rows"
        )
    if len(features) == 0:
        raise ValueError("X and Y are empty; give at least one training image")
    return features, labels
