"""Histograms of one image: colour and oriented gradients."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.feature import hog

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


def gradient_histogram(image: np.ndarray) -> np.ndarray:
    """Histogram of oriented gradients (Dalal and Triggs, 2005): 9 orientations, 2x2 cells a block.

    Args:
        image: uint8 array (size, size, 3), RGB, size at least 32.

    Returns:
        float32 array (num_features,), not negative; 16-pixel cells, so 1764 for 128 pixels.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return hog(grey, pixels_per_cell=(16, 16), cells_per_block=(2, 2)).astype(np.float32)


def hellinger(histograms: np.ndarray) -> np.ndarray:
    """Divide each row by its sum and take the square root.

    Dot products of the results are Bhattacharyya coefficients, so a linear method on them
    compares histograms properly, and every feature has the same length, 1. A row of zeros (the
    gradients of an image of one colour) stays zeros.

    Args:
        histograms: float array (num_images, num_bins), not negative.

    Returns:
        float32 array of the same shape.
    """
    total = histograms.sum(axis=1, keepdims=True)
    return np.sqrt(histograms / np.where(total > 0, total, 1)).astype(np.float32)
