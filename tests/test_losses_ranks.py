"""WARP's sampled ranks: the paper's loop drawn in Python, and what others get wrong in it."""

import numpy as np
import pytest
from test_losses_reference import harmonic, pairwise_reference, weight_probabilities

from warptag.losses import WARP, ranks

NUM_IMAGES = 20_000
NUM_TAGS = 12


def images(num_violators, num_negatives, num_unknown):
    """Equal images with one positive at 0; violators score 0.5 (gap 1.5), the others -3."""
    labels = [1.0] + [0.0] * num_negatives + [-1.0] * num_unknown
    scores = [0.0] + [0.5] * num_violators + [-3.0] * (num_negatives - num_violators)
    scores += [7.0] * num_unknown
    order = np.random.default_rng(0).permutation(len(labels))
    return (
        np.tile(np.array(values, "float32")[order], (NUM_IMAGES, 1)) for values in (labels, scores)
    )


def drawn_weights(rank, num_violators, num_negatives, num_unknown, seed=11):
    """The weight each image's positive was given: the loss over its hinge sum."""
    labels, scores = images(num_violators, num_negatives, num_unknown)
    loss = WARP(rank=rank, normalization="none", seed=seed).call(labels, scores)
    return np.asarray(loss, np.float64) / (1.5 * num_violators)


def brute_force_weights(num_violators, num_negatives, num_unknown, seed=12):
    """The loop as the paper tells it: draw with replacement, at most c - 1 times."""
    generator = np.random.default_rng(seed)
    num_known = 1 + num_negatives
    weights = []
    for _ in range(NUM_IMAGES):
        weight = 0.0
        for draw in range(1, num_known):
            if generator.integers(num_negatives) < num_violators:
                weight = harmonic((num_known - 1) // draw)
                break
        weights.append(weight)
    return np.array(weights)


def assert_distribution(weights, expected):
    """Every weight's frequency within 4.5 standard errors, mean and variance likewise."""
    frequencies = {weight: np.isclose(weights, weight, rtol=1e-5).mean() for weight in expected}
    assert sum(frequencies.values()) == pytest.approx(1.0), "a weight the loop cannot give"
    for weight, probability in expected.items():
        error = np.sqrt(probability * (1 - probability) / len(weights))
        assert abs(frequencies[weight] - probability) <= 4.5 * error + 1e-12, weight
    values, probabilities = np.array(list(expected)), np.array(list(expected.values()))
    mean = values @ probabilities
    variance = (values - mean) ** 2 @ probabilities
    fourth = (values - mean) ** 4 @ probabilities
    assert abs(weights.mean() - mean) <= 4.5 * np.sqrt(variance / len(weights)) + 1e-6
    error = np.sqrt(max(fourth - variance**2, 0) / len(weights))
    assert abs(weights.var() - variance) <= 4.5 * error + 1e-6


@pytest.mark.parametrize("shape", [(1, 9, 2), (3, 9, 2), (11, 11, 0), (2, 11, 0)])
@pytest.mark.parametrize("weights_of", [brute_force_weights, "loop", "sampled"])
def test_the_weights_have_the_loops_distribution(weights_of, shape):
    num_violators, num_negatives, _ = shape
    weights = weights_of(*shape) if callable(weights_of) else drawn_weights(weights_of, *shape)
    expected = weight_probabilities(num_violators, num_negatives, num_negatives + 1)
    assert_distribution(weights, expected)


@pytest.mark.parametrize("rank", ["loop", "sampled"])
def test_the_draws_of_two_positives_are_independent(rank):
    labels = np.tile([1.0, 1.0] + [0.0] * 10, (NUM_IMAGES, 1)).astype("float32")
    scores = np.zeros_like(labels)
    scores[:, 2:5] = 0.5
    scores[:, 5:] = -3.0
    values = np.asarray(WARP(rank=rank, normalization="none", seed=3).call(labels, scores))
    # Two positives, each with the hinge sum 3 * 1.5: independent variances add up.
    expected = weight_probabilities(3, 10, 12)
    mean = sum(weight * p for weight, p in expected.items())
    variance = sum((weight - mean) ** 2 * p for weight, p in expected.items())
    np.testing.assert_allclose(values.mean() / 4.5, 2 * mean, rtol=0.02)
    np.testing.assert_allclose(values.var() / 4.5**2, 2 * variance, rtol=0.05)


@pytest.mark.parametrize("rank", ["loop", "sampled", "expected"])
def test_nothing_is_drawn_where_nothing_violates(rank):
    labels, scores = [[1.0, 0.0, 0.0]], [[5.0, 0.0, 1.0]]
    np.testing.assert_array_equal(WARP(rank=rank, seed=0).call(labels, scores), [0.0])


@pytest.mark.parametrize("rank", ["loop", "sampled", "expected", "exact"])
def test_a_first_draw_that_violates_weighs_the_last_rank(rank):
    """A widely copied WARPLoss divides by zero here, and has L(81) = 86."""
    labels, scores = np.zeros((1, 82), "float32"), np.zeros((1, 82), "float32")
    labels[0, 40] = 1
    # All 81 negatives violate by 1, so s = 1 and r = floor(81 / 1).
    loss = WARP(rank=rank, normalization="none", seed=0).call(labels, scores)
    weight = sum(1 / i for i in range(1, 82))
    assert weight == pytest.approx(4.98, abs=0.005)
    np.testing.assert_allclose(loss, [weight * 81 * 1.0], rtol=1e-5)


def test_the_rank_is_rounded_down_and_rank_one_weighs_one():
    """Others round, take log(r), which is 0 at rank 1, or L(r + 1)."""
    table = ranks.harmonic_numbers(10, "float32")
    draws = np.arange(1, 10, dtype="int32")[None, :]
    weights = ranks.weights_of_draws(draws, np.array([10], "int32"), table)
    # floor(9 / s) = 9, 4, 3, 2, 1, 1, 1, 1, 1
    expected = [[harmonic(9), 25 / 12, 1 + 1 / 2 + 1 / 3, 1 + 1 / 2, 1, 1, 1, 1, 1]]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_no_violator_found_and_too_many_draws_weigh_nothing():
    table = ranks.harmonic_numbers(10, "float32")
    draws = np.array([[0, 10, 9]], "int32")
    weights = ranks.weights_of_draws(draws, np.array([10], "int32"), table)
    np.testing.assert_array_equal(weights, [[0.0, 0.0, 1.0]])


def test_the_rank_counts_scores_and_is_no_tag_index():
    """moments_models took the sorted tag indices for ranks."""
    labels, scores = [[0.0, 1.0, 0.0, 0.0]], [[-9.0, 0.0, 3.0, -9.0]]
    # One violator, whatever its index: L(1) (1 - 0 + 3).
    loss = WARP(rank="exact", normalization="none").call(labels, scores)
    np.testing.assert_allclose(loss, [1 * 4.0])


def test_the_margin_is_one_unless_told_otherwise():
    """warp-loss-pytorch has a margin of 0 by default."""
    assert WARP().margin == 1.0
    loss = WARP(rank="exact", normalization="none").call([[1.0, 0.0]], [[0.5, 0.0]])
    np.testing.assert_allclose(loss, [1 * (1 - 0.5 + 0)])


@pytest.mark.parametrize("rank", ["loop", "sampled"])
def test_the_mean_over_many_draws_is_the_expected_loss(rank):
    generator = np.random.default_rng(6)
    labels = generator.choice([1.0, 0.0, -1.0], (1, NUM_TAGS), p=[0.3, 0.5, 0.2])
    scores = generator.normal(size=(1, NUM_TAGS))
    many = [np.tile(values, (NUM_IMAGES, 1)).astype("float32") for values in (labels, scores)]
    drawn = np.asarray(WARP(rank=rank, seed=4).call(*many))
    expected = pairwise_reference(
        labels,
        scores,
        lambda *sizes: sum(w * p for w, p in weight_probabilities(*sizes).items()),
        "violators",
    )
    error = drawn.std() / np.sqrt(NUM_IMAGES)
    assert abs(drawn.mean() - expected[0]) < 4.5 * error
