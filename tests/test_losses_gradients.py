"""Gradients: finite differences, the constant weight, one sample for value and gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_losses_reference import (
    WEIGHTS,
    harmonic,
    pairwise_loss,
    random_batch,
    weight_probabilities,
)

from warptag.losses import WARP, MultilabelSoftmax
from warptag.losses.pairwise_ranking import NORMALIZATIONS


def value_and_gradient(loss, labels, scores):
    scores = tf.convert_to_tensor(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        values = loss.call(tf.convert_to_tensor(labels), scores)
    return values.numpy(), tape.gradient(values, scores).numpy()


def central_differences(loss, labels, scores, step=1e-5):
    gradient = np.zeros_like(scores)
    for tag in range(scores.shape[1]):
        shift = np.zeros_like(scores)
        shift[:, tag] = step
        above, below = (np.asarray(loss.call(labels, scores + s)) for s in (shift, -shift))
        gradient[:, tag] = (above - below) / (2 * step)
    return gradient


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_pairwise_gradients_are_the_slopes(name, normalization):
    labels, scores = random_batch(seed=1)
    loss = pairwise_loss(name, normalization=normalization, dtype="float64")
    _, gradient = value_and_gradient(loss, labels, scores)
    slopes = central_differences(loss, labels, scores)
    assert np.abs(slopes).max() > 0.1
    np.testing.assert_allclose(gradient, slopes, atol=1e-7)


def test_softmax_gradient_is_the_slope():
    labels, scores = random_batch(seed=1)
    _, gradient = value_and_gradient(MultilabelSoftmax(), labels, scores)
    slopes = central_differences(MultilabelSoftmax(), labels, scores)
    np.testing.assert_allclose(gradient, slopes, atol=1e-8)


def test_the_gradient_is_the_weight_times_the_number_of_violators():
    # One positive, violators at gaps 1.5 and 2.5, no violator at -1: L(2) = 1 + 1/2.
    labels, scores = [[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.5, 1.5, -2.0]]
    _, gradient = value_and_gradient(WARP(rank="exact", normalization="none"), labels, scores)
    weight = 1 + 1 / 2
    np.testing.assert_allclose(gradient, [[-2 * weight, weight, weight, 0.0]])


@pytest.mark.parametrize("rank", ["sampled", "loop"])
def test_value_and_gradient_come_from_one_sample(rank):
    """rml-cnn drew once for the loss and again for its gradient."""
    generator = np.random.default_rng(2)
    labels = np.zeros((64, 12))
    labels[:, :2] = 1
    scores = generator.normal(size=labels.shape)
    loss = WARP(rank=rank, normalization="none", seed=5, dtype="float64")
    values, gradient = value_and_gradient(loss, labels, scores)
    # gradient_j = -weight_j V_j, so the weights of the gradient give the value.
    hinges = np.maximum(0, 1 - scores[:, :2, None] + scores[:, None, 2:])
    violators = (hinges > 0).sum(axis=2)
    weights = np.divide(-gradient[:, :2], violators, where=violators > 0, out=np.zeros((64, 2)))
    assert len(np.unique(weights.round(6))) > 3
    np.testing.assert_allclose(values, (weights * hinges.sum(axis=2)).sum(axis=1), rtol=1e-9)


def test_a_single_sampled_violator_is_the_one_that_learns():
    generator = np.random.default_rng(3)
    labels = np.zeros((200, 10))
    labels[:, 0] = 1
    scores = generator.normal(size=labels.shape)
    loss = WARP(rank="exact", negatives="sampled", normalization="none", seed=5, dtype="float64")
    values, gradient = value_and_gradient(loss, labels, scores)
    hinges = np.maximum(0, 1 - scores[:, :1] + scores[:, 1:])
    some = hinges.any(axis=1)
    chosen = gradient[:, 1:].argmax(axis=1)
    assert ((gradient[:, 1:] != 0).sum(axis=1) == some).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-12)
    weights = np.array([harmonic(violators) for violators in (hinges > 0).sum(axis=1)])
    np.testing.assert_allclose(values, weights * hinges[np.arange(200), chosen], rtol=1e-9)


def test_the_single_violator_is_drawn_uniformly():
    num_images = 20_000
    labels = np.tile([1.0, 0, 0, 0, 0, -1], (num_images, 1)).astype("float32")
    scores = np.tile([0.0, 2, -5, 0.5, -0.5, 9], (num_images, 1)).astype("float32")
    loss = WARP(rank="exact", negatives="sampled", normalization="none", seed=8)
    _, gradient = value_and_gradient(loss, labels, scores)
    frequency = (gradient > 0).mean(axis=0)
    spread = np.sqrt(1 / 3 * 2 / 3 / num_images)
    np.testing.assert_allclose(frequency, [0, 1 / 3, 0, 1 / 3, 1 / 3, 0], atol=4 * spread)
    assert frequency.sum() == pytest.approx(1.0)


def test_one_violator_and_all_of_them_agree_in_expectation():
    """`violators` is the expectation of WSABIE's single violator, gradient included."""
    num_images = 20_000
    labels = np.tile([1.0, 0, 0, 0, 0], (num_images, 1)).astype("float32")
    scores = np.tile([0.0, 2, -5, 0.5, -0.5], (num_images, 1)).astype("float32")
    every = value_and_gradient(WARP(rank="expected"), labels[:1], scores[:1])
    single = WARP(rank="sampled", negatives="sampled", seed=9)
    for exact, drawn in zip(every, value_and_gradient(single, labels, scores), strict=True):
        spread = drawn.std(axis=0) / np.sqrt(num_images)
        assert (np.abs(drawn.mean(axis=0) - exact[0]) <= 4 * spread + 1e-6).all()
    # 3 of 4 negatives violate, c - 1 = 4; gaps 3, 1.5 and 0.5
    weight = sum(w * p for w, p in weight_probabilities(3, 4, 5).items())
    np.testing.assert_allclose(every[0], [weight * (3 + 1.5 + 0.5) / 3], rtol=1e-6)


def test_a_small_step_against_the_gradient_lowers_the_loss():
    labels, scores = random_batch(seed=4)
    for loss in (MultilabelSoftmax(), *(pairwise_loss(name, dtype="float64") for name in WEIGHTS)):
        values, gradient = value_and_gradient(loss, labels, scores)
        after = keras.ops.convert_to_numpy(loss.call(labels, scores - 1e-3 * gradient))
        assert (after <= values + 1e-12).all() and after.sum() < values.sum()
