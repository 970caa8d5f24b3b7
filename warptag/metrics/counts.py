"""Top-k annotation counts and the paper's five metrics, in NumPy (Gong et al. 2013, section 5.2).

All metrics follow from three counts per tag, over all images:

- correct (the paper's N_c): images that have the tag and were given it;
- positive (N_g): images that have the tag;
- predicted (N_p): images that were given the tag.

Rules: each image is given exactly its k highest scored tags; ties go to the lower tag index; a tag
whose label is unknown (-1) for an image is neither ranked nor counted for that image.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np

METRIC_NAMES = (
    "per_class_recall",
    "per_class_precision",
    "overall_recall",
    "overall_precision",
    "n_plus",
)


def top_k_tags(scores, k: int, y_true=None) -> np.ndarray:
    """The k highest scored tags of each image, best first.

    Args:
        scores: array of numbers (num_images, num_tags), higher is better.
        k: number of tags per image, from 1 to num_tags.
        y_true: optional labels of the same shape; tags with the label -1 are skipped.

    Returns:
        int array (num_images, k) of tag indices; -1 where fewer than k tags are known.

    Raises:
        ValueError: if shapes do not match, k is out of range, or the score of a known tag is
            NaN.

    Example:
        >>> top_k_tags([[0.1, 0.9, 0.9]], k=2)
        array([[1, 2]])
    """
    labels, scores = checked_arrays(y_true, scores)
    num_tags = scores.shape[1]
    if not is_integer(k) or not 1 <= k <= num_tags:
        raise ValueError(
            f"k must be an integer from 1 to the number of tags ({num_tags}), got {k!r}"
        )
    unknown = labels == -1
    # Sort by (unknown last, score descending); lexsort is stable, so ties keep the lower index.
    order = np.lexsort((-scores, unknown), axis=1)[:, :k]
    return np.where(np.take_along_axis(unknown, order, axis=1), -1, order)


def top_k_counts(
    y_true, scores, k: int, sample_weight=None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count correct, predicted and positive images of every tag.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: float array of the same shape, higher is better.
        k: number of tags given to each image.
        sample_weight: optional (num_images,), numbers of at least 0, how often each image counts.

    Returns:
        Three arrays (num_tags,): correct, predicted, positive; int without weights, else float.

    Raises:
        ValueError: as in `top_k_tags`, or if a label or weight is invalid.

    Example:
        >>> correct, predicted, positive = top_k_counts([[1, 0], [0, 1]], [[2, 1], [2, 1]], k=1)
        >>> correct, predicted, positive
        (array([1, 0]), array([2, 0]), array([1, 1]))
    """
    labels, scores = checked_arrays(y_true, scores)
    chosen = top_k_tags(scores, k, labels)
    given = np.zeros(labels.shape, bool)
    rows, places = np.nonzero(chosen >= 0)
    given[rows, chosen[rows, places]] = True
    positive = labels == 1
    if sample_weight is None:
        return (given & positive).sum(axis=0), given.sum(axis=0), positive.sum(axis=0)
    weight = checked_weight(sample_weight, len(scores))
    return weight @ (given & positive), weight @ given, weight @ positive


def annotation_report(y_true, scores, k: int, sample_weight=None) -> dict[str, float]:
    """The paper's five metrics at k tags per image, in percent.

    Per-class means and N+ run over the tags with at least one positive image; a tag that is never
    predicted has precision 0. Without any positive image all metrics are 0.

    Source: Gong et al., arXiv 1312.4894, section 5.2.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: float array of the same shape, higher is better.
        k: number of tags given to each image.
        sample_weight: optional (num_images,), numbers of at least 0, how often each image counts.

    Returns:
        dict with `per_class_recall`, `per_class_precision`, `overall_recall`,
        `overall_precision` and `n_plus`, each from 0 to 100.

    Raises:
        ValueError: as in `top_k_counts`.

    Example:
        >>> report = annotation_report([[1, 0, 0], [0, 1, 1]], [[3, 2, 1], [3, 1, 2]], k=1)
        >>> report["overall_precision"]  # 1 correct of 2 given
        50.0
    """
    correct, predicted, positive = top_k_counts(y_true, scores, k, sample_weight)
    occurring = positive > 0
    values = (
        _mean(_ratio(correct, positive)[occurring]),
        _mean(_ratio(correct, predicted)[occurring]),
        float(_ratio(correct.sum(), positive.sum())),
        float(_ratio(correct.sum(), predicted.sum())),
        _mean((correct > 0)[occurring]),
    )
    return {name: 100.0 * value for name, value in zip(METRIC_NAMES, values, strict=True)}


def is_integer(value) -> bool:
    """Whether the value is a Python or NumPy integer; booleans are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def checked_arrays(y_true, scores) -> tuple[np.ndarray, np.ndarray]:
    """Check labels and scores (num_images, num_tags); labels of None are zeros.

    Returns:
        The labels, and the scores as float64, since unsigned integers could not be negated. A
        score of NaN whose tag is unknown becomes 0.

    Raises:
        ValueError: if a shape or label is invalid, or if the score of a known tag is NaN.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2:
        raise ValueError(f"scores must be (num_images, num_tags), got shape {scores.shape}")
    labels = np.zeros(scores.shape, "int8") if y_true is None else np.asarray(y_true)
    if labels.shape != scores.shape:
        raise ValueError(
            f"y_true and scores must have the same shape, got {labels.shape} and {scores.shape}"
        )
    valid = np.isin(labels, (-1, 0, 1))
    if not valid.all():
        raise ValueError(f"labels must be 1, 0 or -1 (unknown), got {labels[~valid][0]}")
    missing = np.isnan(scores)
    if not missing.any():
        return labels, scores
    known = np.argwhere(missing & (labels != -1))
    if len(known):
        row, column = known[0]
        raise ValueError(f"scores must not be NaN, got NaN (first in image {row}, tag {column})")
    return labels, np.where(missing, 0.0, scores)


def checked_weight(sample_weight, num_images: int) -> np.ndarray:
    """The weights as float64 (num_images,); ones without weights."""
    if sample_weight is None:
        return np.ones(num_images)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (num_images,):
        raise ValueError(f"sample_weight must be ({num_images},), got shape {weight.shape}")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        wrong = weight[~(np.isfinite(weight) & (weight >= 0))][0]
        raise ValueError(f"sample_weight must be finite and at least 0, got {wrong}")
    return weight


def _ratio(numerator, denominator):
    some = denominator > 0
    return np.where(some, numerator / np.where(some, denominator, 1), 0.0)


def _mean(values) -> float:
    return float(np.mean(values)) if len(values) else 0.0
