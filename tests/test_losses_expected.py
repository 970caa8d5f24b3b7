"""rank="expected" weighs with the mean of L over the loop's distribution, for every size."""

import numpy as np
import pytest
from losses_references import weight_expected
from losses_support import value

from warptag.losses import WARP


def weights(num_violators, num_positives, num_negatives, num_tags):
    """The weight each image's positives are given: the loss over their hinge sum.

    Positives are at 0, violators at 0.5 (gap 1.5), other negatives at -9. What is left of the
    tags is unknown, at 9. Arguments but the last: one number an image.
    """
    tags = np.arange(num_tags)
    positives, negatives, violators = (
        np.asarray(sizes)[:, None] for sizes in (num_positives, num_negatives, num_violators)
    )
    labels = np.where(tags < positives, 1, np.where(tags < positives + negatives, 0, -1))
    scores = np.where(tags < positives + violators, 0.5, np.where(labels == 0, -9, 9))
    scores = np.where(tags < positives, 0, scores)
    # Not in the order of their scores.
    order = np.random.default_rng(0).permutation(num_tags)
    loss = WARP(rank="expected", normalization="positives")
    losses = value(loss, labels[:, order].astype("int8"), scores[:, order].astype("float32"))
    return losses.astype("float64") / (1.5 * np.asarray(num_violators))


def direct_sums(num_violators, num_negatives, num_known):
    """sum over s < c of p (1 - p)^(s - 1) L(floor((c - 1) / s)), p = V / N, for many V."""
    draws = np.arange(1, num_known)
    table = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, num_known + 1))])
    ranks = table[(num_known - 1) // draws]
    shares = np.asarray(num_violators)[:, None] / num_negatives
    return (shares * (1 - shares) ** (draws - 1) * ranks).sum(axis=1)


def test_the_direct_sum_here_is_the_slow_reference():
    for violators in (1, 4, 7):
        np.testing.assert_allclose(
            direct_sums([violators], 7, 10), weight_expected(violators, 7, 10), rtol=1e-12
        )


@pytest.mark.parametrize("num_positives", [1, 3])
def test_up_to_two_hundred_tags_it_is_the_direct_sum_whatever_violates(num_positives):
    """Of all c to 200 and all V from 1 to N, every seventh; the other tags are unknown."""
    sizes = np.array(
        [
            (violators, num_positives, known - num_positives)
            for known in range(num_positives + 1, 201)
            for violators in range(1, known - num_positives + 1)
            if known < 30 or (known + violators) % 7 == 0 or violators == known - num_positives
        ]
    )
    expected = np.concatenate(
        [direct_sums([v], negatives, num_positives + negatives) for v, _, negatives in sizes]
    )
    actual = weights(*sizes.T, num_tags=230)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize("num_tags", [2, 3, 4, 5, 9, 16, 17, 100])
def test_without_unknown_tags_it_is_the_direct_sum(num_tags):
    violators = np.arange(1, num_tags)
    ones = np.ones_like(violators)
    actual = weights(violators, ones, ones * (num_tags - 1), num_tags)
    np.testing.assert_allclose(actual, direct_sums(violators, num_tags - 1, num_tags), rtol=1e-6)


@pytest.mark.parametrize("known", [100_000, 60_000])
def test_a_hundred_thousand_tags(known):
    violators = [1, 2, 50, 1000, 50_000, known - 2, known - 1]
    ones = np.ones(7, "int32")
    actual = weights(violators, ones, ones * (known - 1), num_tags=100_000)
    np.testing.assert_allclose(actual, direct_sums(violators, known - 1, known), rtol=1e-6)
