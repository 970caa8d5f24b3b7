"""The losses against the paper's equations, written out as loops, and against values by hand."""

import math

import numpy as np
import pytest

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking
from warptag.losses.pairwise_ranking import NORMALIZATIONS


def harmonic(rank):
    """L(r) = 1 + 1/2 + ... + 1/r."""
    return sum(1 / i for i in range(1, rank + 1))


def weight_probabilities(num_violators, num_negatives, num_known):
    """{weight: probability} of the paper's loop: draw with replacement, at most c - 1 times."""
    share = num_violators / num_negatives if num_negatives else 0.0
    result: dict[float, float] = {}
    for draws in range(1, num_known):
        weight = harmonic((num_known - 1) // draws)
        result[weight] = result.get(weight, 0.0) + share * (1 - share) ** (draws - 1)
    result[0.0] = 1 - sum(result.values())
    return result


def weight_one(num_violators, num_negatives, num_known):
    return 1.0


def weight_exact(num_violators, num_negatives, num_known):
    return harmonic(num_violators)


def weight_expected(num_violators, num_negatives, num_known):
    probabilities = weight_probabilities(num_violators, num_negatives, num_known)
    return sum(weight * probability for weight, probability in probabilities.items())


def pairwise_reference(labels, scores, weight, normalization, margin=1.0):
    """Sum over positives j, negatives k of weight_j max(0, margin - f_j + f_k), one an image."""
    losses = []
    for label, f in zip(np.asarray(labels), np.asarray(scores, np.float64), strict=True):
        positives = [j for j in range(len(f)) if label[j] == 1]
        negatives = [k for k in range(len(f)) if label[k] == 0]
        total = 0.0
        for j in positives:
            hinges = [max(0.0, margin - f[j] + f[k]) for k in negatives]
            violators = sum(hinge > 0 for hinge in hinges)
            share = weight(violators, len(negatives), len(positives) + len(negatives)) * sum(hinges)
            if normalization == "violators" and violators:
                share /= violators
            total += share
        divisor = {
            "none": 1,
            "positives": len(positives),
            "pairs": len(positives) * len(negatives),
            "violators": len(positives),
        }[normalization]
        losses.append(total / divisor if divisor else 0.0)
    return np.array(losses)


def softmax_reference(labels, scores):
    """-(1 / c_plus) sum over positives j of log(exp(f_j) / sum over known k of exp(f_k))."""
    losses = []
    for label, f in zip(np.asarray(labels), np.asarray(scores, np.float64), strict=True):
        total = sum(math.exp(f[k]) for k in range(len(f)) if label[k] != -1)
        positives = [j for j in range(len(f)) if label[j] == 1]
        terms = [-math.log(math.exp(f[j]) / total) for j in positives]
        losses.append(sum(terms) / len(positives) if positives else 0.0)
    return np.array(losses)


def random_batch(seed=0, num_images=16, num_tags=9):
    """Labels of all three kinds and scores; some rows lack positives or negatives by chance."""
    generator = np.random.default_rng(seed)
    labels = generator.choice([1.0, 0.0, -1.0], (num_images, num_tags), p=[0.3, 0.5, 0.2])
    labels[0], labels[1], labels[2] = 1.0, 0.0, -1.0
    return labels, generator.normal(scale=1.5, size=(num_images, num_tags))


# The deterministic losses, by the name of the weight they give a positive.
WEIGHTS = {"ranking": weight_one, "exact": weight_exact, "expected": weight_expected}


def pairwise_loss(name, **arguments):
    return PairwiseRanking(**arguments) if name == "ranking" else WARP(rank=name, **arguments)


@pytest.mark.parametrize("margin", [1.0, 0.25])
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_pairwise_losses_are_the_papers_sums(name, normalization, margin):
    labels, scores = random_batch()
    loss = pairwise_loss(name, margin=margin, normalization=normalization, dtype="float64")
    expected = pairwise_reference(labels, scores, WEIGHTS[name], normalization, margin)
    assert np.count_nonzero(expected) >= 8
    np.testing.assert_allclose(loss.call(labels, scores), expected, rtol=1e-9)


def test_softmax_is_the_papers_cross_entropy():
    labels, scores = random_batch()
    expected = softmax_reference(labels, scores)
    np.testing.assert_allclose(MultilabelSoftmax().call(labels, scores), expected, rtol=1e-9)


# One image: positives score 2 and 0, negatives 1.5, 0.5 and -3. At a margin of 1
#   positive at 2:  1 - 2 + 1.5 = 0.5 violates; 1 - 2 + 0.5 and 1 - 2 - 3 do not
#   positive at 0:  1 - 0 + 1.5 = 2.5 and 1 - 0 + 0.5 = 1.5 violate; 1 - 0 - 3 does not
LABELS, SCORES = [[1, 0, 1, 0, 0]], [[2.0, 1.5, 0.0, 0.5, -3.0]]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (PairwiseRanking(normalization="none"), 0.5 + (2.5 + 1.5)),
        (PairwiseRanking(normalization="positives"), (0.5 + (2.5 + 1.5)) / 2),
        (PairwiseRanking(normalization="pairs"), (0.5 + (2.5 + 1.5)) / (2 * 3)),
        (PairwiseRanking(), (0.5 / 1 + (2.5 + 1.5) / 2) / 2),
        (PairwiseRanking(margin=0.5, normalization="none"), 0 + (2.0 + 1.0)),
        (WARP(rank="exact", normalization="none"), 1 * 0.5 + (1 + 1 / 2) * (2.5 + 1.5)),
        (WARP(rank="exact"), (1 * 0.5 / 1 + (1 + 1 / 2) * (2.5 + 1.5) / 2) / 2),
        (
            # c - 1 = 4 draws at most, ranks 4, 2, 1, 1; shares 1/3 and 2/3 of the negatives.
            WARP(rank="expected", normalization="none"),
            0.5 * (25 / 12 * 1 / 3 + 3 / 2 * 2 / 9 + 4 / 27 + 8 / 81)
            + 4.0 * (25 / 12 * 2 / 3 + 3 / 2 * 2 / 9 + 2 / 27 + 2 / 81),
        ),
        (
            MultilabelSoftmax(),
            math.log(math.exp(2) + math.exp(1.5) + 1 + math.exp(0.5) + math.exp(-3)) - (2 + 0) / 2,
        ),
    ],
)
def test_values_by_hand(loss, expected):
    np.testing.assert_allclose(loss.call(LABELS, SCORES), [expected], rtol=1e-6)


def test_softmax_of_equal_scores_is_the_logarithm_of_the_number_of_tags():
    labels = np.eye(81, dtype="float32")[:2]
    losses = MultilabelSoftmax().call(labels, np.zeros((2, 81), "float32"))
    np.testing.assert_allclose(losses, [math.log(81)] * 2, rtol=1e-6)


def test_a_negative_exactly_at_the_margin_does_not_violate_it():
    labels, scores = [[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.5]]
    # gaps 1 - 1 + 0 = 0 and 1 - 1 + 0.5 = 0.5: one violator
    np.testing.assert_allclose(PairwiseRanking().call(labels, scores), [0.5 / 1])
    np.testing.assert_allclose(WARP(rank="exact").call(labels, scores), [1 * 0.5 / 1])


def test_warp_is_ranking_where_every_positive_has_one_violator():
    labels, scores = [[1.0, 0.0, 0.0]], [[0.0, 0.5, -2.0]]
    ranking = PairwiseRanking(normalization="none").call(labels, scores)
    warp = WARP(rank="exact", normalization="none").call(labels, scores)
    np.testing.assert_allclose(warp, ranking)
    np.testing.assert_allclose(ranking, [1 - 0 + 0.5])
