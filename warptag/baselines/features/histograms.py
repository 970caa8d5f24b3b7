"""The colour histogram of one image."""

from __future__ import annotations

import numpy as np

_BINS = 8  # per channel


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """Joint RGB histogram, float32 (512,), of uint8 (height, width, 3); blue varies fastest."""
    bins = image.reshape(-1, 3) // (256 // _BINS)
    index = np.ravel_multi_index(tuple(bins.T), (_BINS,) * 3)
    return np.bincount(index, minlength=_BINS**3).astype(np.float32)
