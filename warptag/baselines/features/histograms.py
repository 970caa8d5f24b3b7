"""Histograms of one image: its visual words by quarter, and its colours."""

from __future__ import annotations

import numpy as np

from warptag.baselines.features.descriptors import Patches

_BINS = 8  # per channel


def count_words(patches: Patches, codebook: np.ndarray) -> np.ndarray:
    """Counts float32 (4 * num_words,) of the words in each quarter of an image.

    The quarters are top left, top right, bottom left and bottom right; `codebook` is float32
    (num_words, length).
    """
    # The nearest word has the largest product minus half its squared length.
    products = patches.descriptors @ codebook.T
    products -= 0.5 * np.einsum("wd,wd->w", codebook, codebook)
    words = products.argmax(axis=1)
    right, bottom = (patches.positions >= 0.5).T
    bins = (2 * bottom + right) * len(codebook) + words
    return np.bincount(bins, minlength=4 * len(codebook)).astype(np.float32)


def spatial_pyramid(quarters: np.ndarray) -> np.ndarray:
    """The counts of whole images and of their quarters, from rows of `count_words`."""
    whole = quarters.reshape(len(quarters), 4, -1).sum(axis=1)
    return np.concatenate([whole, quarters], axis=1)


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """Joint RGB histogram, float32 (512,), of uint8 (height, width, 3); blue varies fastest."""
    bins = image.reshape(-1, 3) // (256 // _BINS)
    index = np.ravel_multi_index(tuple(bins.T), (_BINS,) * 3)
    return np.bincount(index, minlength=_BINS**3).astype(np.float32)
