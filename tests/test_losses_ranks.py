"""WARP's sampling: the distribution of the paper's loop, its mean, and WSABIE's single violator."""

import numpy as np
import pytest
from losses_references import weight_expected, weight_probabilities
from losses_support import value, value_and_gradient

from warptag.losses import WARP

NUM_IMAGES = 20_000


def drawn_weights(rank, num_violators, num_negatives, num_unknown):
    """The weight of each image's positive: the loss over its hinge sum.

    The positive is at 0, violators at 0.5 (gap 1.5), other negatives at -3.
    """
    labels = [1.0] + [0.0] * num_negatives + [-1.0] * num_unknown
    scores = [0.0] + [0.5] * num_violators + [-3.0] * (num_negatives - num_violators)
    scores += [7.0] * num_unknown
    order = np.random.default_rng(0).permutation(len(labels))
    labels, scores = (
        np.tile(np.array(one, "float32")[order], (NUM_IMAGES, 1)) for one in (labels, scores)
    )
    losses = value(WARP(rank=rank, normalization="none", seed=11), labels, scores)
    return losses.astype("float64") / (1.5 * num_violators)


@pytest.mark.parametrize("shape", [(1, 9, 2), (3, 9, 2), (11, 11, 0), (2, 11, 0)])
@pytest.mark.parametrize("rank", ["loop", "sampled"])
def test_the_weights_have_the_loops_distribution(rank, shape):
    """The frequency of every weight is within 4.5 standard errors."""
    num_violators, num_negatives, _ = shape
    expected = weight_probabilities(num_violators, num_negatives, num_negatives + 1)
    weights = drawn_weights(rank, *shape)
    frequencies = {weight: np.isclose(weights, weight, rtol=1e-5).mean() for weight in expected}
    assert sum(frequencies.values()) == pytest.approx(1.0), "a weight the loop cannot give"
    for weight, probability in expected.items():
        error = np.sqrt(probability * (1 - probability) / len(weights))
        assert abs(frequencies[weight] - probability) <= 4.5 * error + 1e-12, weight


def test_one_violator_and_all_of_them_agree_in_expectation():
    """`violators` is the expectation of WSABIE's single violator, gradient included."""
    labels = np.tile([1, 0, 0, 0, 0, 1], (NUM_IMAGES, 1))
    scores = np.tile([0.0, 2, -5, 0.5, -0.5, 1], (NUM_IMAGES, 1)).astype("float32")
    every = value_and_gradient(WARP(rank="expected"), labels[:1], scores[:1])
    single = WARP(rank="sampled", negatives="sampled", seed=9)
    for exact, drawn in zip(every, value_and_gradient(single, labels, scores), strict=True):
        spread = drawn.std(axis=0) / np.sqrt(NUM_IMAGES)
        assert (np.abs(drawn.mean(axis=0) - exact[0]) <= 4.5 * spread + 1e-6).all()


def expected_weights(num_violators, num_negatives, num_tags):
    """The weight that rank="expected" gives the one positive of each image.

    It is at 0, violators at 0.5 (gap 1.5), other negatives at -9, and the remaining tags unknown
    at 9. The numbers of violators and negatives are one per image.
    """
    tags = np.arange(num_tags)
    violators, negatives = (np.asarray(sizes)[:, None] for sizes in (num_violators, num_negatives))
    labels = np.where(tags == 0, 1, np.where(tags <= negatives, 0, -1))
    scores = np.where(tags <= violators, 0.5, np.where(labels == 0, -9, 9))
    scores[:, 0] = 0
    # Not in the order of their scores.
    order = np.random.default_rng(0).permutation(num_tags)
    loss = WARP(rank="expected", normalization="none")
    losses = value(loss, labels[:, order].astype("int8"), scores[:, order].astype("float32"))
    return losses.astype("float64") / (1.5 * np.asarray(num_violators))


def direct_sum(num_violators, num_negatives):
    """sum over s < c of p (1 - p)^(s - 1) L(floor((c - 1) / s)), p = V / N, c = N + 1."""
    draws = np.arange(1, num_negatives + 1)
    table = np.concatenate([[0.0], np.cumsum(1 / draws)])
    share = num_violators / num_negatives
    return (share * (1 - share) ** (draws - 1) * table[num_negatives // draws]).sum()


def test_the_expected_weight_is_the_direct_sum_for_every_size():
    """For c up to 200 and V from 1 to N, every seventh; the other tags are unknown."""
    sizes = [(v, n) for n in range(1, 200) for v in range(1, n + 1) if n < 30 or (n + v) % 7 == 0]
    expected = [direct_sum(*size) for size in sizes]
    np.testing.assert_allclose(expected[:9], [weight_expected(v, n, n + 1) for v, n in sizes[:9]])
    actual = expected_weights(*zip(*sizes, strict=True), num_tags=230)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize("num_negatives", [1, 2, 3, 59_999, 99_999])
def test_the_expected_weight_for_few_and_many_tags(num_negatives):
    num_tags = 100_000 if num_negatives > 3 else num_negatives + 1
    places = (1, 2, 50, 1000, 50_000, num_negatives - 1, num_negatives)
    violators = [v for v in places if 0 < v <= num_negatives]
    actual = expected_weights(violators, [num_negatives] * len(violators), num_tags)
    expected = [direct_sum(v, num_negatives) for v in violators]
    np.testing.assert_allclose(actual, expected, rtol=1e-6)
