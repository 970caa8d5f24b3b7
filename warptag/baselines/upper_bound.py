"""The best possible annotation with exactly k tags per image (the tables' first row)."""

from __future__ import annotations

import numpy as np

from warptag.baselines.validation import check_labels


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
    if rule not in ("rarest", "random"):
        raise ValueError(f'rule must be "rarest" or "random", got {rule!r}')
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
