"""Bags of visual words: how often each word occurs in each part of an image."""

from __future__ import annotations

import numpy as np

from warptag.baselines.features.descriptors import Patches


def count_words(patches: Patches, codebook: np.ndarray) -> np.ndarray:
    """How often each word occurs in each quarter of an image.

    Args:
        patches: an image's descriptors and their places.
        codebook: float32 array (num_words, length).

    Returns:
        float32 array (4 * num_words,): the quarters top left, top right, bottom left and bottom
        right; zeros for an image without patches.
    """
    # The nearest word has the largest product less half its squared length.
    products = patches.descriptors @ codebook.T
    products -= 0.5 * np.einsum("wd,wd->w", codebook, codebook)
    words = products.argmax(axis=1)
    right, bottom = (patches.positions >= 0.5).T
    bins = (2 * bottom + right) * len(codebook) + words
    return np.bincount(bins, minlength=4 * len(codebook)).astype(np.float32)


def spatial_pyramid(quarters: np.ndarray) -> np.ndarray:
    """Counts of quarters, with those of the whole image before them.

    Args:
        quarters: float32 array (num_images, 4 * num_words) of `count_words`.

    Returns:
        float32 array (num_images, 5 * num_words).
    """
    whole = quarters.reshape(len(quarters), 4, -1).sum(axis=1)
    return np.concatenate([whole, quarters], axis=1)
