"""KOrderStatisticWARP: the chance of each positive to be the one that is taken."""

import losses_references as references
import numpy as np
import pytest
from losses_references import taken, taken_by_enumeration
from losses_support import assert_close, padded_ids, random_batch, value, value_and_gradient

from warptag.losses import WARP, KOrderStatisticWARP

PLACES = [
    (1.0,),
    (1.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
    (1.0, 0.0, 3.0),
    (0.0, 0.5, 0.0, 0.25),
]


def chances(loss, scores, tags=None):
    """q of the positives of one image: what each one's hinge of 1 and weight L(1) add.

    The tag after the positives is a negative that violates all of them; others are unknown.
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
@pytest.mark.parametrize("num_positives", [1, 2, 5])
def test_the_two_slow_references_agree(num_positives, places):
    np.testing.assert_allclose(
        taken(num_positives, places), taken_by_enumeration(num_positives, places), atol=1e-12
    )


@pytest.mark.parametrize("places", PLACES)
def test_each_positive_has_the_chance_that_brute_force_gives(places):
    loss = KOrderStatisticWARP(places=places, rank="exact", normalization="none")
    # Best first: tags 2, 0, 3, 1.
    q = taken_by_enumeration(4, places)
    expected = [q[1], q[3], q[0], q[2]]
    np.testing.assert_allclose(chances(loss, [0.5, -0.25, 0.75, 0.25]), expected, rtol=1e-5)


def test_the_worst_of_five_is_taken_by_default():
    # Not the worst of two: both, or all, of the five draws are the better one.
    q = chances(KOrderStatisticWARP(rank="exact", normalization="none"), [0.5, 0.25])
    np.testing.assert_allclose(q, [1 / 2**5, 1 - 1 / 2**5], rtol=1e-5)


def test_places_need_not_add_up_to_one():
    options = {"rank": "exact", "normalization": "none"}
    q = chances(KOrderStatisticWARP(places=(1, 3), **options), [0.5, 0.25])
    # Best of two 3/4 and 1/4, worst of two 1/4 and 3/4, taken with chances 1/4 and 3/4.
    expected = [1 / 4 * 3 / 4 + 3 / 4 * 1 / 4, 1 / 4 * 1 / 4 + 3 / 4 * 3 / 4]
    np.testing.assert_allclose(q, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("num_positives", "num_places"), [(3, 5), (40, 5), (200, 5), (3, 64), (40, 64)]
)
def test_the_chances_add_up_to_one(num_positives, num_places):
    places = np.arange(1, num_places + 1)
    loss = KOrderStatisticWARP(places=places, rank="exact", normalization="none")
    q = chances(loss, np.linspace(0.5, 0.25, num_positives))
    assert q.sum() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(q, taken(num_positives, places), rtol=1e-2, atol=1e-6)


def test_hundreds_of_places_are_taken_too():
    places = [1.0] * 300
    loss = KOrderStatisticWARP(places=places, rank="exact", normalization="none")
    np.testing.assert_allclose(chances(loss, [0.5, 0.25, 0.0]), [1 / 3] * 3, rtol=1e-4)


@pytest.mark.parametrize(
    ("rank", "own", "warps", "num_places"),
    [
        ("exact", "none", "positives", 7),
        ("exact", "violators", "violators", 1),
        ("expected", "violators", "violators", 4),
    ],
)
def test_equal_chances_of_all_places_make_it_warp(rank, own, warps, num_places):
    """A random place of a random draw is a random positive: q = 1 / P."""
    labels, scores = random_batch(seed=4)
    weights = np.linspace(0.5, 2, 9)
    mine = KOrderStatisticWARP(
        [0.2] * num_places, rank=rank, normalization=own, tag_weights=weights
    )
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
    np.testing.assert_allclose(chances(loss, [0.0] * 20), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "tags", [[0, 1, 2, -1, -1], [2, 1, 0, -1, -1], [-1, 1, 2, -1, 0], [1, -1, 0, 2, 1]]
)
def test_equal_scores_are_placed_alike_however_their_ids_are_listed(tags):
    loss = KOrderStatisticWARP(places=(1, 0), rank="exact", normalization="none", labels="ids")
    q = chances(loss, [0.0] * 3, tags)
    np.testing.assert_allclose(q, [5 / 9, 3 / 9, 1 / 9], rtol=1e-5)


def test_ids_give_the_multi_hot_loss():
    labels, scores = random_batch(seed=6)
    labels[labels == -1] = 0
    options = {"places": (1, 0, 3), "rank": "exact"}
    expected = value_and_gradient(KOrderStatisticWARP(**options), labels, scores)
    loss = KOrderStatisticWARP(labels="ids", **options)
    ids = padded_ids(labels, width=11)
    for ours, theirs in zip(value_and_gradient(loss, ids, scores), expected, strict=True):
        assert_close(ours, theirs)


def test_many_positives_are_placed_by_their_scores():
    generator = np.random.default_rng(0)
    labels = np.zeros((3, 300), "float32")
    labels[0, :200], labels[1, 40:100], labels[2, 7] = 1, 1, 1
    scores = generator.normal(size=labels.shape).astype("float32")
    places = (1, 0, 0, 2)
    loss = KOrderStatisticWARP(places, rank="exact")
    expected = references.k_order(
        labels, scores, references.weight_exact, "violators", places=places
    )
    np.testing.assert_allclose(value(loss, labels, scores), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"places": ()}, r"places must be finite numbers.*got \(\)"),
        ({"places": (0, 0)}, r"one of them above 0, got \(0, 0\)"),
        ({"places": (1, -1)}, r"places must be.*got \(1, -1\)"),
        ({"places": (1, float("nan"))}, "places must be.*nan"),
        ({"places": [[1, 2]]}, r"places must be.*got \[\[1, 2\]\]"),
        ({"normalization": "pairs"}, r"one of \('none', 'violators'\), got 'pairs'"),
        ({"normalization": "positives"}, "normalization must be one of.*got 'positives'"),
        ({"rank": "worst"}, "rank must be one of .*'sampled'.*got 'worst'"),
        ({"margin": 0}, "margin must be a positive number, got 0"),
    ],
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        KOrderStatisticWARP(**arguments)
