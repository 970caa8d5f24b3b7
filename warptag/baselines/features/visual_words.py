"""Dense SIFT descriptors and their bag of visual words with a two-level spatial pyramid."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin

_PATCH = 16  # pixels; patches overlap by about half


def dense_sift(image: np.ndarray) -> np.ndarray:
    """SIFT descriptors (Lowe, 2004) of upright 16-pixel patches on a regular grid.

    Args:
        image: uint8 array (size, size, 3), RGB, size at least 32.

    Returns:
        float32 array (num_patches, 128), row by row from the top left; zeros for a flat patch.
    """
    keypoints = _grid(image.shape[0])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    _, descriptors = cv2.SIFT.create().compute(grey, keypoints)
    return descriptors


@lru_cache
def _grid(size: int) -> tuple[cv2.KeyPoint, ...]:
    # An even number of points a side, so that the four quarters hold equally many.
    centres = np.linspace(_PATCH / 2, size - _PATCH / 2, 2 * (size // _PATCH))
    # OpenCV's descriptor spans 6 times the keypoint size: 4 cells of 3 times half of it.
    return tuple(
        cv2.KeyPoint(float(x), float(y), _PATCH / 6, 0.0) for y in centres for x in centres
    )


def learn_codebook(descriptors: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Visual words: the centres of k-means clusters.

    Args:
        descriptors: float32 array (num_descriptors, 128).
        size: number of words; at most as many as there are different descriptors are made.
        seed: seed of the clustering.

    Returns:
        float32 array (num_words, 128).
    """
    # Descriptors of equal (mostly flat) patches would take up several words.
    different = np.unique(descriptors, axis=0)
    clusters = MiniBatchKMeans(
        min(size, len(different)), batch_size=4096, n_init=1, random_state=seed
    )
    return clusters.fit(different).cluster_centers_


def word_histograms(descriptors: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """How often each word occurs in an image and in each of its quarters.

    Args:
        descriptors: float32 array (num_images, num_patches, 128) from `dense_sift`.
        codebook: float32 array (num_words, 128).

    Returns:
        float32 array (num_images, 5 * num_words): the whole image, then the quarters top left,
        top right, bottom left, bottom right.
    """
    num_images, num_patches, length = descriptors.shape
    num_words = len(codebook)
    words = pairwise_distances_argmin(descriptors.reshape(-1, length), codebook)
    words = words.reshape(num_images, num_patches)

    side = round(num_patches**0.5)
    half = np.arange(side) >= side // 2
    quarter = (2 * half[:, np.newaxis] + half).ravel()
    bins = (np.arange(num_images)[:, np.newaxis] * 4 + quarter) * num_words + words
    counts = np.bincount(bins.ravel(), minlength=num_images * 4 * num_words)
    quarters = counts.reshape(num_images, 4, num_words)
    pyramid = np.concatenate([quarters.sum(axis=1, keepdims=True), quarters], axis=1)
    return pyramid.reshape(num_images, -1).astype(np.float32)
