"""The lower bound: every image gets the most frequent tags of the training set."""

from __future__ import annotations

import numpy as np

from warptag.baselines.validation import check_labels


def most_frequent_scores(train_labels, num_images: int) -> np.ndarray:
    """The share of training images with each tag, as the scores of every image.

    A collapsed network gives these scores, so a method has learnt something only if it beats them.
    Unknown labels (-1) are left out of a tag's share.

    Args:
        train_labels: labels (num_train, num_tags): 1, 0, or -1 for unknown.
        num_images: number of images to score.

    Returns:
        float32 array (num_images, num_tags) of equal rows, between 0 and 1; 0 for a tag that is
        unknown for every image.

    Raises:
        ValueError: `train_labels` is not such an array, or `num_images` is negative.

    Example:
        >>> most_frequent_scores([[1, 0], [1, 1]], num_images=1)
        array([[1. , 0.5]], dtype=float32)
    """
    labels = check_labels(train_labels, "train_labels")
    if num_images < 0:
        raise ValueError(f"num_images must be 0 or more, got {num_images}")
    num_known = (labels != -1).sum(axis=0)
    frequency = (labels == 1).sum(axis=0) / np.maximum(num_known, 1)
    return np.tile(frequency.astype(np.float32), (num_images, 1))
