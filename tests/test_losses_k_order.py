"""KOrderStatisticWARP: the probability of each positive to be the one that is taken."""

import numpy as np
import pytest
from losses_references import taken, taken_by_enumeration
from losses_support import assert_close, random_batch, value, value_and_gradient

from warptag.losses import WARP, KOrderStatisticWARP

PLACES = [
    (1.0,),
    (1.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
    (1.0, 0.0, 3.0),
    (0.0, 0.5, 0.0, 0.25),
]


def probabilities(loss, scores, tags=None):
    """q of the positives of one image, each of which has the hinge 1 and the weight L(1).

    The tag after the positives is a negative that violates all of them; the others are unknown.
    """
    num_positives = len(scores)
    num_tags = num_positives + 1 if tags is not None else max(9, num_positives + 1)
    labels, row = np.full((1, num_tags), -1, "int32"), np.full((1, num_tags), 9, "float32")
    labels[0, :num_positives], row[0, :num_positives] = 1, scores
    labels[0, num_positives], row[0, num_positives] = 0, max(scores)
    y_true = labels if tags is None else np.array([tags], "int32")
    _, gradient = value_and_gradient(loss, y_true, row)
    return -gradient[0, :num_positives]


@pytest.mark.parametrize("places", PLACES)
def test_each_positive_has_the_probability_of_brute_force(places):
    q = taken_by_enumeration(4, places)
    np.testing.assert_allclose(taken(4, places), q, atol=1e-12)
    loss = KOrderStatisticWARP(places=places, rank="exact", normalization="none")
    # Best first: tags 2, 0, 3, 1.
    expected = [q[1], q[3], q[0], q[2]]
    np.testing.assert_allclose(probabilities(loss, [0.5, -0.25, 0.75, 0.25]), expected, rtol=1e-5)


def test_the_worst_of_five_is_taken_by_default():
    # Not the worst of two: both, or all, of the five draws are the better one.
    q = probabilities(KOrderStatisticWARP(rank="exact", normalization="none"), [0.5, 0.25])
    np.testing.assert_allclose(q, [1 / 2**5, 1 - 1 / 2**5], rtol=1e-5)


@pytest.mark.parametrize(("num_positives", "num_places"), [(40, 5), (200, 5), (40, 64), (3, 300)])
def test_the_probabilities_add_up_to_one(num_positives, num_places):
    places = np.arange(1, num_places + 1)
    loss = KOrderStatisticWARP(places=places, rank="exact", normalization="none")
    q = probabilities(loss, np.linspace(0.5, 0.25, num_positives))
    assert q.sum() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(q, taken(num_positives, places), rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize(
    ("rank", "own", "warps"),
    [("exact", "none", "positives"), ("expected", "violators", "violators")],
)
def test_equal_places_are_warp(rank, own, warps):
    """A random place of a random draw is a random positive: q = 1 / P."""
    labels, scores = random_batch(seed=4)
    weights = np.linspace(0.5, 2, 9)
    mine = KOrderStatisticWARP([0.2] * 3, rank=rank, normalization=own, tag_weights=weights)
    warp = WARP(rank=rank, normalization=warps, tag_weights=weights)
    expected = value_and_gradient(warp, labels, scores)
    assert expected[0].any()
    for ours, theirs in zip(value_and_gradient(mine, labels, scores), expected, strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize("rank", ["sampled", "loop"])
def test_its_sampled_weights_are_warps(rank):
    """One seed, one draw of ranks: only q and 1 / P differ."""
    labels, scores = random_batch(seed=5)
    mine = KOrderStatisticWARP([1.0], rank=rank, normalization="none", seed=3)
    warp = WARP(rank=rank, normalization="positives", seed=3)
    assert_close(value(mine, labels, scores), value(warp, labels, scores))


def test_equal_scores_are_placed_in_the_order_of_their_tags():
    loss = KOrderStatisticWARP(places=(1, 0), rank="exact", normalization="none")
    # Best of two draws from P: (2 (P - place) + 1) / P^2.
    expected = [(2 * (20 - place) + 1) / 20**2 for place in range(1, 21)]
    np.testing.assert_allclose(probabilities(loss, [0.0] * 20), expected, rtol=1e-5)


@pytest.mark.parametrize("tags", [[2, 1, 0, -1, -1], [-1, 1, 2, -1, 0], [1, -1, 0, 2, 1]])
def test_equal_scores_are_placed_alike_however_their_ids_are_listed(tags):
    loss = KOrderStatisticWARP(places=(1, 0), rank="exact", normalization="none", labels="ids")
    q = probabilities(loss, [0.0] * 3, tags)
    np.testing.assert_allclose(q, [5 / 9, 3 / 9, 1 / 9], rtol=1e-5)
