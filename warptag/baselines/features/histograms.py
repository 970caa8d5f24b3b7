"""The colour histogram of one image."""

from __future__ import annotations

import numpy as np

_BINS = 8  # a channel


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """Joint RGB histogram, 8 bins a channel.

    Args:
        image: uint8 array (height, width, 3), RGB.

    Returns:
        float32 array (512,): the number of pixels of each colour, blue varying fastest.
    """
    bins = image.reshape(-1, 3) // (256 // _BINS)
    index = np.ravel_multi_index(tuple(bins.T), (_BINS,) * 3)
    return np.bincount(index, minlength=_BINS**3).astype(np.float32)
