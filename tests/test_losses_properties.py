"""What holds for every labels and scores, tried on random ones."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from losses_cases import DETERMINISTIC, HINGES, LOSSES, every_loss
from losses_support import FASTEST, compiled, numbers, tensor

from warptag.losses import WARP, PairwiseRanking

SHAPE = (16, 6)
every_example = settings(deadline=None, max_examples=6, derandomize=True)
all_labels = arrays("int32", SHAPE, elements=st.integers(-1, 1))
# Quarters: many ties, many scores exactly at the margin, and no rounding in sums of them.
all_scores = arrays("int32", SHAPE, elements=st.integers(-12, 12)).map(
    lambda quarters: quarters.astype("float32") / 4
)
numbers_of_quarters = st.integers(-40, 40).map(lambda quarters: np.float32(quarters / 4))

compiled_losses: dict = {}


def value(loss, labels, scores):
    """`loss.call`: one number an image. Losses alike share a graph."""
    key = type(loss), json.dumps(loss.get_config())
    if key not in compiled_losses:
        compiled_losses[key] = compiled(loss.call, FASTEST)
    return numbers(compiled_losses[key](tensor(labels), tensor(scores)))


# Of positives with one score, those of the lower tags come first.
ORDERED_BY_TAG = ["k-order"]


@pytest.mark.parametrize("name", sorted(set(DETERMINISTIC) - set(ORDERED_BY_TAG)))
@every_example
@given(labels=all_labels, scores=all_scores, order=st.permutations(range(6)))
def test_the_order_of_the_tags_does_not_matter(name, labels, scores, order):
    moved = value(LOSSES[name](), labels[:, order], scores[:, order])
    np.testing.assert_allclose(moved, value(LOSSES[name](), labels, scores), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DETERMINISTIC)
@every_example
@given(labels=all_labels, scores=all_scores, order=st.permutations(range(16)))
def test_the_order_of_the_images_does_not_matter(name, labels, scores, order):
    moved = value(LOSSES[name](), labels[order], scores[order])
    expected = value(LOSSES[name](), labels, scores)[order]
    np.testing.assert_allclose(moved, expected, rtol=1e-5, atol=1e-6)


SHIFTED = [name for name in DETERMINISTIC if name in (*HINGES, "lsep", "softmax")]


@pytest.mark.parametrize("name", SHIFTED)
@every_example
@given(labels=all_labels, scores=all_scores, shift=numbers_of_quarters)
def test_a_shift_of_all_scores_does_not_matter(name, labels, scores, shift):
    shifted = value(LOSSES[name](), labels, scores + shift)
    np.testing.assert_allclose(shifted, value(LOSSES[name](), labels, scores), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DETERMINISTIC)
@every_example
@given(labels=all_labels, scores=all_scores, others=all_scores)
def test_scores_of_unknown_tags_change_nothing(name, labels, scores, others):
    hidden = np.where(labels == -1, others * 100, scores)
    np.testing.assert_allclose(
        value(LOSSES[name](), labels, hidden),
        value(LOSSES[name](), labels, scores),
        rtol=1e-4,
        atol=1e-5,
    )


@every_loss
@every_example
@given(labels=all_labels, scores=all_scores)
def test_no_loss_is_negative_or_infinite(name, labels, scores):
    values = value(LOSSES[name](), labels, scores)
    assert np.isfinite(values).all() and (values >= -1e-5).all()


@every_example
@given(labels=all_labels, scores=all_scores)
def test_warp_weighs_violated_positives_at_least_as_ranking_does(labels, scores):
    ranking = value(PairwiseRanking(normalization="none"), labels, scores)
    warp = value(WARP(rank="exact", normalization="none"), labels, scores)
    # And at most by L(c - 1) = L(5).
    assert (ranking <= warp + 1e-4).all()
    assert (warp <= (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) * ranking + 1e-4).all()


@pytest.mark.parametrize("rank", ["sampled", "loop", "expected"])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_sampled_weights_lie_between_nothing_and_the_last_rank(rank, labels, scores):
    ranking = value(PairwiseRanking(normalization="none"), labels, scores)
    warp = value(WARP(rank=rank, normalization="none", seed=1), labels, scores)
    assert (warp >= -1e-4).all()
    assert (warp <= (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) * ranking + 1e-4).all()


@pytest.mark.parametrize("name", [name for name in DETERMINISTIC if name != "lsep"])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_three_times_the_tag_weights_is_three_times_the_loss(name, labels, scores):
    thrice = value(LOSSES[name](tag_weights=[3.0] * 6), labels, scores)
    expected = 3 * value(LOSSES[name](), labels, scores)
    np.testing.assert_allclose(thrice, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in DETERMINISTIC if name in HINGES])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_twice_the_scores_and_the_margin_is_twice_the_loss(name, labels, scores):
    twice = value(LOSSES[name](margin=2.0), labels, 2 * scores)
    expected = 2 * value(LOSSES[name](), labels, scores)
    np.testing.assert_allclose(twice, expected, rtol=1e-4, atol=1e-5)


RISING = ["ranking-none", "exact-none", "lsep", "bce", "asymmetric"]


@pytest.mark.parametrize("name", RISING)
@every_example
@given(
    labels=all_labels,
    scores=all_scores,
    tag=st.integers(0, 5),
    rise=st.integers(1, 8).map(lambda quarters: quarters / 4),
)
def test_a_higher_positive_never_costs_more_and_a_higher_negative_never_less(
    name, labels, scores, tag, rise
):
    make = LOSSES.get(name, lambda: WARP(rank="exact", normalization="none"))
    higher = scores.copy()
    higher[:, tag] += rise
    change = value(make(), labels, higher) - value(make(), labels, scores)
    assert (change[labels[:, tag] == 1] <= 1e-5).all()
    assert (change[labels[:, tag] == 0] >= -1e-5).all()
    assert (abs(change[labels[:, tag] == -1]) <= 1e-5).all()
