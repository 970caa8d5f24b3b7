"""Gradients: the slopes of the papers' equations, with the weight as a constant."""

import losses_references as references
import numpy as np
import pytest
from losses_cases import DETERMINISTIC, FOCUS, every_deterministic_loss, k_order, pairwise
from losses_references import harmonic, pairwise_table, weight_probabilities
from losses_support import (
    FASTEST,
    assert_close,
    numbers,
    random_batch,
    tensor,
    value,
    value_and_gradient,
    with_gradient,
)

from warptag.losses import WARP, AsymmetricLoss, PairwiseRanking, WeightedBinaryCrossentropy
from warptag.losses.pairwise_ranking import NORMALIZATIONS

TAG_WEIGHTS = [0.5, 1.0, 0.0, 2.0, 3.0, 1.0, 0.25, 1.5, 4.0]


def slopes(losses, labels, scores, step=1e-6):
    """Central differences of one number an image, from the scores' (batch, num_tags) copies."""
    scores = scores.astype("float64")
    num_images, num_tags = scores.shape
    shifts = step * np.eye(num_tags)[:, None, :]
    moved = np.concatenate([scores + shifts, scores - shifts]).reshape(-1, num_tags)
    values = losses(np.tile(labels, (2 * num_tags, 1)), moved).reshape(2, num_tags, num_images)
    return (values[0] - values[1]).T / (2 * step)


def check(loss, reference, seed=1):
    labels, scores = random_batch(seed)
    _, gradient = value_and_gradient(loss, labels, scores)
    expected = slopes(reference, labels, scores)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=2e-6)


@every_deterministic_loss
def test_the_gradient_is_the_slope_of_the_papers_equation(name):
    check(DETERMINISTIC[name].make(), DETERMINISTIC[name].reference)


@every_deterministic_loss
def test_with_tag_weights_too(name):
    case = DETERMINISTIC[name]
    check(
        case.make(tag_weights=TAG_WEIGHTS),
        lambda labels, scores: case.reference(labels, scores, tag_weights=TAG_WEIGHTS),
    )


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("rank", references.WEIGHTS)
def test_of_every_normalization(rank, normalization):
    case = pairwise(rank, normalization=normalization, margin=1.0)
    check(case.make(), case.reference)


def test_of_the_order_statistic():
    case = k_order("expected", normalization="none", places=(1, 2, 3, 4), margin=0.75)
    check(case.make(), case.reference)


@pytest.mark.parametrize(
    "options", [FOCUS, {"gamma_positive": 0.5, "clip": 0.3}, {"gamma_negative": 0.0}]
)
def test_of_the_asymmetric_loss(options):
    check(
        AsymmetricLoss(**options),
        lambda labels, scores: references.asymmetric(labels, scores, **options),
    )


def test_of_positive_weights():
    weights = np.linspace(0, 3, 9)
    check(
        WeightedBinaryCrossentropy(weights),
        lambda labels, scores: references.binary_crossentropy(
            labels, scores, positive_weights=weights
        ),
    )


def test_the_gradient_is_the_weight_times_the_number_of_violators():
    # One positive, violators at gaps 1.5 and 2.5, no violator at -1: L(2) = 1 + 1/2.
    labels, scores = [[1, 0, 0, 0]], [[0.0, 0.5, 1.5, -2.0]]
    _, gradient = value_and_gradient(WARP(rank="exact", normalization="none"), labels, scores)
    weight = 1 + 1 / 2
    np.testing.assert_allclose(gradient, [[-2 * weight, weight, weight, 0.0]])


def test_large_images_have_the_sums_of_all_pairs_and_their_gradient():
    """3000 tags; 3, 100, 130 and 900 positives, some tags unknown."""
    generator = np.random.default_rng(0)
    labels = generator.choice([0, -1], (4, 3000), p=[0.9, 0.1]).astype("float32")
    for row, num_positives in zip(labels, (3, 100, 130, 900), strict=True):
        row[generator.permutation(3000)[:num_positives]] = 1
    scores = generator.normal(size=labels.shape).astype("float32")
    for loss, weight in (
        (PairwiseRanking(), references.weight_one),
        (WARP(rank="exact"), references.weight_exact),
    ):
        for batch in (slice(0, 2), slice(0, 4)):
            expected = pairwise_table(labels[batch], scores[batch], weight, "violators")
            assert expected[0].all()
            for ours, theirs in zip(
                value_and_gradient(loss, labels[batch], scores[batch], FASTEST),
                expected,
                strict=True,
            ):
                np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_one_violator_and_all_of_them_agree_in_expectation():
    """`violators` is the expectation of WSABIE's single violator, gradient included."""
    num_images = 20_000
    labels = np.tile([1, 0, 0, 0, 0], (num_images, 1))
    scores = np.tile([0.0, 2, -5, 0.5, -0.5], (num_images, 1)).astype("float32")
    every = value_and_gradient(WARP(rank="expected"), labels[:1], scores[:1])
    single = WARP(rank="sampled", negatives="sampled", seed=9)
    for exact, drawn in zip(every, value_and_gradient(single, labels, scores), strict=True):
        spread = drawn.std(axis=0) / np.sqrt(num_images)
        assert (np.abs(drawn.mean(axis=0) - exact[0]) <= 4.5 * spread + 1e-6).all()
    # 3 of 4 negatives violate, c - 1 = 4; gaps 3, 1.5 and 0.5
    weight = sum(w * p for w, p in weight_probabilities(3, 4, 5).items())
    np.testing.assert_allclose(every[0], [weight * (3 + 1.5 + 0.5) / 3], rtol=1e-6)


def test_a_single_sampled_violator_is_the_one_that_learns():
    generator = np.random.default_rng(3)
    labels = np.zeros((200, 10), "float32")
    labels[:, 0] = 1
    scores = generator.normal(size=labels.shape).astype("float32")
    loss = WARP(rank="exact", negatives="sampled", normalization="none", seed=5)
    values, gradient = value_and_gradient(loss, labels, scores)
    hinges = np.maximum(0, 1 - scores[:, :1] + scores[:, 1:])
    some = hinges.any(axis=1)
    chosen = gradient[:, 1:].argmax(axis=1)
    assert ((gradient[:, 1:] != 0).sum(axis=1) == some).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-6)
    weights = np.array([harmonic(violators) for violators in (hinges > 0).sum(axis=1)])
    np.testing.assert_allclose(
        values, weights * hinges[np.arange(200), chosen], rtol=1e-4, atol=1e-6
    )


@every_deterministic_loss
def test_a_small_step_against_the_gradient_lowers_the_loss(name):
    labels, scores = random_batch(seed=4)
    loss = DETERMINISTIC[name].make()
    values, gradient = value_and_gradient(loss, labels, scores)
    after = value(loss, labels, (scores - 1e-3 * gradient).astype(scores.dtype))
    assert (after <= values + 1e-6).all() and after.sum() < values.sum()


def test_sample_weights_scale_the_gradient_of_their_image():
    labels, scores = random_batch(seed=5, dtype="float32")
    _, gradient = value_and_gradient(WARP(rank="exact"), labels, scores)
    weights = np.linspace(0, 2, 16).astype("float32")
    loss = WARP(rank="exact", reduction="none")

    def weighted(labels, scores):
        return loss(labels, scores, sample_weight=weights)

    _, scaled = with_gradient(weighted)(tensor(labels), tensor(scores))
    assert gradient.any()
    assert_close(numbers(scaled), weights[:, None] * gradient)
