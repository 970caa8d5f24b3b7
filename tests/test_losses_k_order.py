"""KOrderStatisticWARP: the probability of each positive to be the one that is taken."""

import itertools

import numpy as np
import pytest
from losses_references import taken
from losses_support import assert_close, random_batch, value, value_and_gradient

from warptag.losses import WARP, KOrderStatisticWARP


def taken_by_enumeration(num_positives, places):
    """q of each positive, best first: every ordered draw of K with replacement, sorted."""
    num_draws = len(places)
    q = np.zeros(num_positives)
    for draw in itertools.product(range(num_positives), repeat=num_draws):
        for place, positive in enumerate(sorted(draw)):
            q[positive] += places[place] / sum(places) / num_positives**num_draws
    return q


def probabilities(scores, tags=None, **options):
    """q of the positives of one image, each of which has the hinge 1 and the weight L(1).

    The tag after the positives is a negative that violates all of them.
    """
    labels = np.array([[1] * len(scores) + [0]], "int32")
    row = np.array([[*scores, max(scores)]], "float32")
    if tags is not None:
        labels, options = np.array([tags], "int32"), {**options, "labels": "ids"}
    loss = KOrderStatisticWARP(rank="exact", normalization="none", **options)
    _, gradient = value_and_gradient(loss, labels, row)
    return -gradient[0, : len(scores)]


@pytest.mark.parametrize(
    "places", [(1.0,), (1.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1.0), (0.0, 0.5, 0.0, 0.25)]
)
def test_each_positive_has_the_probability_of_brute_force(places):
    q = taken_by_enumeration(4, places)
    np.testing.assert_allclose(taken(4, places), q, atol=1e-12)
    # Best first: tags 2, 0, 3, 1.
    expected = [q[1], q[3], q[0], q[2]]
    actual = probabilities([0.5, -0.25, 0.75, 0.25], places=places)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_the_worst_of_five_is_taken_by_default():
    # Not the worst of two: both, or all, of the five draws are the better one.
    np.testing.assert_allclose(probabilities([0.5, 0.25]), [1 / 2**5, 1 - 1 / 2**5], rtol=1e-5)


@pytest.mark.parametrize(("num_positives", "num_places"), [(200, 5), (40, 64), (3, 300)])
def test_the_probabilities_of_many_add_up_to_one(num_positives, num_places):
    places = np.arange(1, num_places + 1)
    q = probabilities(np.linspace(0.5, 0.25, num_positives), places=places)
    assert q.sum() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(q, taken(num_positives, places), rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("rank", ["sampled", "loop"])
def test_its_sampled_weights_are_warps(rank):
    """One seed, one draw of ranks: only q and 1 / P differ."""
    labels, scores = random_batch(seed=5)
    mine = KOrderStatisticWARP([1.0], rank=rank, normalization="none", seed=3)
    warp = WARP(rank=rank, normalization="positives", seed=3)
    assert_close(value(mine, labels, scores), value(warp, labels, scores))


def test_equal_scores_are_placed_in_the_order_of_their_tags():
    # Best of two draws from P: (2 (P - place) + 1) / P^2.
    expected = [(2 * (20 - place) + 1) / 20**2 for place in range(1, 21)]
    np.testing.assert_allclose(probabilities([0.0] * 20, places=(1, 0)), expected, rtol=1e-5)


@pytest.mark.parametrize("tags", [[2, 1, 0, -1, -1], [1, -1, 0, 2, 1]])
def test_equal_scores_are_placed_alike_however_their_ids_are_listed(tags):
    q = probabilities([0.0] * 3, tags, places=(1, 0))
    np.testing.assert_allclose(q, [5 / 9, 3 / 9, 1 / 9], rtol=1e-5)
