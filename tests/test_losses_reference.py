"""The losses against the papers' equations, written out as loops, and against values by hand."""

import math
from functools import partial

import losses_references as references
import numpy as np
import pytest
from losses_cases import DETERMINISTIC, every_deterministic_loss, k_order, pairwise
from losses_support import assert_close, in_the_last_graph, only_on, random_batch, value

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

TAG_WEIGHTS = [0.5, 1.0, 0.0, 2.0, 3.0, 1.0, 0.25, 1.5, 4.0]


@pytest.mark.parametrize(
    ("normalization", "margin"), [(name, 1.0) for name in NORMALIZATIONS] + [("violators", 0.25)]
)
@pytest.mark.parametrize("rank", references.WEIGHTS)
def test_pairwise_losses_are_the_papers_sums(rank, normalization, margin):
    labels, scores = random_batch()
    case = pairwise(rank, normalization=normalization, margin=margin)
    expected = case.reference(labels, scores)
    assert np.count_nonzero(expected) >= 8
    assert_close(value(case.make(), labels, scores), expected)


@pytest.mark.parametrize("places", [(1.0,), (0, 0, 0, 0, 1), (2, 0, 0), (1, 2, 3, 4)])
@pytest.mark.parametrize(
    ("rank", "normalization"), [("exact", "none"), ("exact", "violators"), ("expected", "none")]
)
def test_k_order_statistic_losses_are_the_papers_mean_over_draws(rank, places, normalization):
    labels, scores = random_batch(seed=1)
    case = k_order(rank, normalization=normalization, places=places, margin=0.75)
    expected = case.reference(labels, scores)
    assert_close(value(case.make(), labels, scores), expected)


@every_deterministic_loss
def test_losses_are_the_papers_equations(name):
    labels, scores = random_batch(seed=2)
    case = DETERMINISTIC[name]
    expected = case.reference(labels, scores)
    assert_close(value(case.make(), labels, scores, "eager"), expected)


@every_deterministic_loss
def test_each_tags_share_is_multiplied_by_its_weight(name):
    labels, scores = random_batch(seed=3)
    case = DETERMINISTIC[name]
    expected = case.reference(labels, scores, tag_weights=TAG_WEIGHTS)
    assert not np.allclose(expected, case.reference(labels, scores))
    loss = case.make(tag_weights=TAG_WEIGHTS)
    assert_close(value(loss, labels, scores), expected)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_tag_weights_leave_the_divisor_alone(normalization):
    # One positive of weight 3 of two, hinges 2.5 and 1.5; the other has weight 0.
    labels, scores = [[1, 1, 0, 0, -1]], [[0.0, 7.0, 1.5, 0.5, 9.0]]
    loss = PairwiseRanking(normalization=normalization, tag_weights=[3.0, 0.0, 9.0, 9.0, 9.0])
    divisor = {"none": 1, "positives": 2, "pairs": 2 * 2, "violators": 2 * 2}[normalization]
    np.testing.assert_allclose(value(loss, labels, scores), [3 * (2.5 + 1.5) / divisor], rtol=1e-6)


@only_on("tensorflow", "elsewhere Keras computes in float32 in any case")
@every_deterministic_loss
def test_float32_scores_give_the_same_up_to_rounding(name):
    labels, scores = random_batch(seed=2, dtype="float32")
    loss = DETERMINISTIC[name].make(tag_weights=TAG_WEIGHTS)
    values = value(loss, labels, scores)
    assert values.dtype == np.float32
    expected = DETERMINISTIC[name].reference(labels, scores, tag_weights=TAG_WEIGHTS)
    assert_close(values, expected)


@in_the_last_graph
@every_deterministic_loss
def test_a_compiled_graph_gives_the_papers_value(name, mode):
    labels, scores = random_batch(seed=3, dtype="float32")
    loss = DETERMINISTIC[name].make(tag_weights=TAG_WEIGHTS)
    expected = DETERMINISTIC[name].reference(labels, scores, tag_weights=TAG_WEIGHTS)
    assert_close(value(loss, labels, scores, mode), expected)


# One image: positives score 2 and 0, negatives 1.5, 0.5 and -3. At a margin of 1
#   positive at 2:  1 - 2 + 1.5 = 0.5 violates; 1 - 2 + 0.5 and 1 - 2 - 3 do not
#   positive at 0:  1 - 0 + 1.5 = 2.5 and 1 - 0 + 0.5 = 1.5 violate; 1 - 0 - 3 does not
LABELS, SCORES = [[1, 0, 1, 0, 0]], [[2.0, 1.5, 0.0, 0.5, -3.0]]
exp, log, log1p = math.exp, math.log, math.log1p


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (partial(PairwiseRanking, normalization="none"), 0.5 + (2.5 + 1.5)),
        (partial(PairwiseRanking, normalization="positives"), (0.5 + (2.5 + 1.5)) / 2),
        (partial(PairwiseRanking, normalization="pairs"), (0.5 + (2.5 + 1.5)) / (2 * 3)),
        (PairwiseRanking, (0.5 / 1 + (2.5 + 1.5) / 2) / 2),
        (partial(PairwiseRanking, margin=0.5, normalization="none"), 0 + (2.0 + 1.0)),
        (
            partial(WARP, rank="exact", normalization="none"),
            1 * 0.5 + (1 + 1 / 2) * (2.5 + 1.5),
        ),
        (partial(WARP, rank="exact"), (1 * 0.5 / 1 + (1 + 1 / 2) * (2.5 + 1.5) / 2) / 2),
        (
            # c - 1 = 4 draws at most, ranks 4, 2, 1, 1; shares 1/3 and 2/3 of the negatives.
            partial(WARP, rank="expected", normalization="none"),
            0.5 * (25 / 12 * 1 / 3 + 3 / 2 * 2 / 9 + 4 / 27 + 8 / 81)
            + 4.0 * (25 / 12 * 2 / 3 + 3 / 2 * 2 / 9 + 2 / 27 + 2 / 81),
        ),
        (
            # Best of two draws: the positive at 2, but where both draws are the one at 0.
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
        (
            partial(AsymmetricLoss, gamma_negative=0, clip=0),
            log1p(exp(-2)) + log(2) + log1p(exp(1.5)) + log1p(exp(0.5)) + log1p(exp(-3)),
        ),
    ],
)
def test_values_by_hand(loss, expected):
    np.testing.assert_allclose(value(loss(), LABELS, SCORES), [expected], rtol=1e-6)


def test_softmax_of_equal_scores_is_the_logarithm_of_the_number_of_tags():
    labels = np.eye(81, dtype="float32")[:2]
    losses = value(MultilabelSoftmax(), labels, np.zeros((2, 81), "float32"))
    np.testing.assert_allclose(losses, [math.log(81)] * 2, rtol=1e-6)


def test_a_negative_exactly_at_the_margin_does_not_violate_it():
    # gaps 1 - 1 + 0 = 0 and 1 - 1 + 0.5 = 0.5: one violator
    labels, scores = [[1, 0, -1, 0, -1]], [[1.0, 0.0, 9.0, 0.5, 9.0]]
    np.testing.assert_allclose(value(PairwiseRanking(), labels, scores), [0.5 / 1])
    np.testing.assert_allclose(value(WARP(rank="exact"), labels, scores), [1 * 0.5 / 1])


def test_warp_is_ranking_where_every_positive_has_one_violator():
    labels, scores = [[1, 0, 0, -1, -1]], [[0.0, 0.5, -2.0, 9.0, 9.0]]
    ranking = value(PairwiseRanking(normalization="none"), labels, scores)
    np.testing.assert_allclose(ranking, [1 - 0 + 0.5])
    warp = WARP(rank="exact", normalization="none")
    np.testing.assert_allclose(value(warp, labels, scores), ranking)
