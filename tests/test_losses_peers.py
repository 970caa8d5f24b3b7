"""Defects of other WARP implementations, by their number in the project's list of them.

Defects 1 and 9 concern metrics and are tested there. Defect 8, one image's scores read for all
of them, would fail every comparison of `test_losses_reference.py`.
"""

import numpy as np
import pytest
from losses_cases import LOSSES, SAMPLED
from losses_references import harmonic
from losses_support import numbers, random_batch, reduced, tensor, value, value_and_gradient

from warptag.losses import WARP, PairwiseRanking, ranks


@pytest.mark.parametrize("rank", ["sampled", "loop"])
def test_2_value_and_gradient_come_from_one_sample(rank):
    """rml-cnn draws once for the loss and again for its gradient."""
    generator = np.random.default_rng(2)
    labels = np.zeros((64, 12), "float32")
    labels[:, :2] = 1
    scores = generator.normal(size=labels.shape).astype("float32")
    loss = WARP(rank=rank, normalization="none", seed=5)
    values, gradient = value_and_gradient(loss, labels, scores)
    # gradient_j = -weight_j V_j, so the weights of the gradient give the value.
    hinges = np.maximum(0, 1 - scores[:, :2, None] + scores[:, None, 2:])
    violators = (hinges > 0).sum(axis=2)
    weights = np.divide(-gradient[:, :2], violators, where=violators > 0, out=np.zeros((64, 2)))
    assert len(np.unique(weights.round(4))) > 3
    np.testing.assert_allclose(values, (weights * hinges.sum(axis=2)).sum(axis=1), rtol=1e-4)


def test_3_the_rank_counts_scores_and_is_not_a_tag_index():
    """moments_models takes the sorted tag indices for ranks."""
    # One violator, whatever its index: L(1) (1 - 0 + 3).
    loss = WARP(rank="exact", normalization="none")
    labels, scores = [[0, 1, 0, 0]], [[-9.0, 0.0, 3.0, -9.0]]
    np.testing.assert_allclose(value(loss, labels, scores), [1 * 4.0])


@pytest.mark.parametrize("rank", ["loop", "sampled", "expected", "exact"])
def test_4_a_first_draw_that_violates_weighs_the_last_rank(rank):
    """A widely copied WARPLoss divides by zero here, and with `1.0 / i + 1` has L(81) = 86."""
    labels, scores = np.zeros((1, 82), "float32"), np.zeros((1, 82), "float32")
    labels[0, 40] = 1
    # All 81 negatives violate by 1, so s = 1 and r = floor(81 / 1).
    weight = sum(1 / i for i in range(1, 82))
    assert weight == pytest.approx(4.98, abs=0.005)
    loss = WARP(rank=rank, normalization="none", seed=0)
    np.testing.assert_allclose(value(loss, labels, scores), [weight * 81 * 1.0], rtol=1e-5)


def test_5_the_margin_is_one_unless_told_otherwise():
    """The default margin of warp-loss-pytorch is 0."""
    assert WARP().margin == PairwiseRanking().margin == 1.0


def test_6_the_rank_is_rounded_down_and_weighs_the_harmonic_sum():
    """lightfm rounds, and takes log(r), which is 0 at rank 1."""
    table = ranks.harmonic_numbers(10, "float32")
    # The first to the ninth draw violates the margin; a tenth is one too many.
    draws = tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
    weights = numbers(ranks.weights_of_draws(draws, tensor([[9]]), table))
    # floor(9 / s) = 9, 4, 3, 2, 1, 1, 1, 1, 1
    expected = [[harmonic(9), 25 / 12, 1 + 1 / 2 + 1 / 3, 1 + 1 / 2, 1, 1, 1, 1, 1, 0]]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "ranking", "sampled", "bce"])
def test_7_the_loss_does_not_grow_with_the_batch(name):
    labels, scores = random_batch(seed=12, dtype="float32")
    once = reduced(LOSSES[name](), labels, scores)
    thrice = reduced(LOSSES[name](), np.tile(labels, (3, 1)), np.tile(scores, (3, 1)))
    # Draws differ, but by less than a factor of three.
    assert thrice == pytest.approx(once, rel=0.3 if name in SAMPLED else 1e-5)
