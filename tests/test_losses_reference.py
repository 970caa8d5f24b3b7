"""Values and gradients of the losses against the papers' equations and values by hand."""

import math
from functools import partial

import losses_references as references
import numpy as np
import pytest
from losses_cases import DETERMINISTIC, TAG_WEIGHTS, every_deterministic_loss, k_order, pairwise
from losses_support import assert_close, in_the_last_graph, random_batch, value, value_and_gradient

from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)
from warptag.losses.pairwise_ranking import NORMALIZATIONS


def slopes(losses, labels, scores, step=1e-6):
    """Central differences of one number per image, from the scores' (batch, num_tags) copies."""
    scores = scores.astype("float64")
    num_images, num_tags = scores.shape
    shifts = step * np.eye(num_tags)[:, None, :]
    moved = np.concatenate([scores + shifts, scores - shifts]).reshape(-1, num_tags)
    values = losses(np.tile(labels, (2 * num_tags, 1)), moved).reshape(2, num_tags, num_images)
    return (values[0] - values[1]).T / (2 * step)


def check(loss, reference, seed=1):
    labels, scores = random_batch(seed)
    values, gradient = value_and_gradient(loss, labels, scores)
    expected = reference(labels, scores)
    assert np.count_nonzero(expected) >= 8
    assert_close(values, expected)
    expected = slopes(reference, labels, scores)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=2e-6)


@every_deterministic_loss
@pytest.mark.parametrize("options", [{}, {"tag_weights": TAG_WEIGHTS}], ids=["plain", "weights"])
def test_value_and_gradient_are_the_papers(name, options):
    make, reference = DETERMINISTIC[name]
    check(make(**options), partial(reference, **options))


@pytest.mark.parametrize(
    ("normalization", "margin"), [(name, 1.0) for name in NORMALIZATIONS] + [("violators", 0.25)]
)
@pytest.mark.parametrize("rank", references.WEIGHTS)
def test_pairwise_losses_are_the_papers_sums(rank, normalization, margin):
    case = pairwise(rank, normalization=normalization, margin=margin)
    check(case.make(tag_weights=TAG_WEIGHTS), partial(case.reference, tag_weights=TAG_WEIGHTS))


@pytest.mark.parametrize("places", [(1.0,), (0, 0, 0, 0, 1), (1, 2, 3, 4)])
def test_k_order_statistic_losses_are_the_papers_mean_over_draws(places):
    case = k_order("expected", normalization="none", places=places, margin=0.75)
    check(case.make(), case.reference)


@pytest.mark.parametrize(
    "options",
    [
        {"gamma_positive": 0.5, "clip": 0.5},
        {"gamma_positive": 1.0, "gamma_negative": 1.0, "clip": 0.0},
        {"gamma_negative": 0.0},
    ],
)
def test_asymmetric_losses_are_equations_4_to_7(options):
    check(AsymmetricLoss(**options), partial(references.asymmetric, **options))


def test_positive_weights_multiply_the_positives_alone():
    options = {"positive_weights": TAG_WEIGHTS[::-1], "tag_weights": TAG_WEIGHTS}
    loss = WeightedBinaryCrossentropy(**options)
    check(loss, partial(references.binary_crossentropy, **options))


@in_the_last_graph
@pytest.mark.parametrize("name", ["softmax", "expected", "k-order", "lsep", "bce", "asymmetric"])
def test_a_compiled_graph_gives_the_papers_value(name, mode):
    labels, scores = random_batch(seed=3, dtype="float32")
    loss = DETERMINISTIC[name].make(tag_weights=TAG_WEIGHTS)
    values = value(loss, labels, scores, mode)
    assert values.dtype == np.float32
    expected = DETERMINISTIC[name].reference(labels, scores, tag_weights=TAG_WEIGHTS)
    assert_close(values, expected)


# One image: positives score 2 and 0, negatives 1.5, 0.5 and -3. At a margin of 1
#   positive at 2:  1 - 2 + 1.5 = 0.5 violates; 1 - 2 + 0.5 and 1 - 2 - 3 do not
#   positive at 0:  1 - 0 + 1.5 = 2.5 and 1 - 0 + 0.5 = 1.5 violate; 1 - 0 - 3 does not
LABELS, SCORES = [[1, 0, 1, 0, 0]], [[2.0, 1.5, 0.0, 0.5, -3.0]]
exp, log, log1p = math.exp, math.log, math.log1p


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (partial(PairwiseRanking, normalization="none"), 0.5 + (2.5 + 1.5)),
        (partial(PairwiseRanking, normalization="pairs"), (0.5 + (2.5 + 1.5)) / (2 * 3)),
        (PairwiseRanking, (0.5 / 1 + (2.5 + 1.5) / 2) / 2),
        (
            partial(WARP, rank="exact", normalization="none"),
            1 * 0.5 + (1 + 1 / 2) * (2.5 + 1.5),
        ),
        (
            # c - 1 = 4 draws at most, ranks 4, 2, 1, 1; shares 1/3 and 2/3 of the negatives.
            partial(WARP, rank="expected", normalization="none"),
            0.5 * (25 / 12 * 1 / 3 + 3 / 2 * 2 / 9 + 4 / 27 + 8 / 81)
            + 4.0 * (25 / 12 * 2 / 3 + 3 / 2 * 2 / 9 + 2 / 27 + 2 / 81),
        ),
        (
            # Best of two draws: the positive at 2, unless both draws are the one at 0.
            partial(KOrderStatisticWARP, (1, 0), rank="exact", normalization="none"),
            3 / 4 * 1 * 0.5 + 1 / 4 * (1 + 1 / 2) * (2.5 + 1.5),
        ),
        (
            MultilabelSoftmax,
            log(exp(2) + exp(1.5) + exp(0) + exp(0.5) + exp(-3)) - (2 + 0) / 2,
        ),
        (
            LSEP,
            log(1 + (exp(1.5) + exp(0.5) + exp(-3)) * (exp(-2) + exp(-0))),
        ),
        (
            WeightedBinaryCrossentropy,
            (log1p(exp(-2)) + log(2) + log1p(exp(1.5)) + log1p(exp(0.5)) + log1p(exp(-3))) / 5,
        ),
    ],
)
def test_values_by_hand(loss, expected):
    np.testing.assert_allclose(value(loss(), LABELS, SCORES), [expected], rtol=1e-6)
