"""Bounds of what a method can reach, from labels alone."""

from __future__ import annotations

import numpy as np

from warptag.baselines.validation import check_choice, check_labels


def upper_bound_scores(y_true, rule: str = "rarest", seed: int = 0) -> np.ndarray:
    """Scores whose top k, for every k, are the upper bound's choice.

    True tags come first; remaining places go to other tags at random. If an image has more than k
    true tags, the rule decides which of them come first:

    - `"rarest"`: the tags with the fewest positive images in `y_true`; of equal counts, the lower
      index. This gives the row printed in the paper.
    - `"random"`: any of them. This is what the paper's text says; on NUS-WIDE at k = 3 it has
      a per-class recall of 84 percent, where the paper prints 97.

    A tag whose label is -1 (unknown) is not a true tag. Source: Gong et al. 2013, section 5.2.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        rule: `"rarest"` or `"random"`.
        seed: seed of the random order; the same seed gives the same scores.

    Returns:
        float32 array (num_images, num_tags); each row is a permutation of 0 to num_tags - 1, so
        there are no ties.

    Raises:
        ValueError: `y_true` is not such an array, or `rule` is unknown.

    Example:
        >>> upper_bound_scores([[1, 1], [1, 0]])  # the second tag is the rarer one
        array([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    check_choice("rule", rule, ("rarest", "random"))
    positive = check_labels(y_true, "y_true") == 1
    num_images, num_tags = positive.shape

    # Sort keys are in [0, 1) for the true tags and in [1, 2) for all others.
    keys = np.random.default_rng(seed).random((num_images, num_tags))
    if rule == "rarest":
        rarest_first = np.argsort(positive.sum(axis=0), kind="stable")
        rarity = np.empty(num_tags)
        rarity[rarest_first] = np.arange(num_tags) / num_tags
        keys = np.where(positive, rarity, keys)
    order = np.argsort(keys + ~positive, axis=1, kind="stable")

    scores = np.empty((num_images, num_tags), np.float32)
    best_first = np.arange(num_tags - 1, -1, -1, dtype=np.float32)
    np.put_along_axis(scores, order, best_first[np.newaxis], axis=1)
    return scores


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
