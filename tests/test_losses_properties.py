"""Properties for all labels and scores, tested on random ones; numbers that change nothing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from losses_cases import DETERMINISTIC, HINGES, LOSSES, SAMPLED, every_loss
from losses_support import FASTEST, assert_close, compiled, numbers, random_batch, tensor
from losses_support import value as value_once

from warptag.losses import WARP, PairwiseRanking

SHAPE = (16, 6)
every_example = settings(deadline=None, max_examples=4, derandomize=True)
all_labels = arrays("int32", SHAPE, elements=st.integers(-1, 1))
# Quarters: many ties, many scores exactly at the margin, and no rounding in sums of them.
all_scores = arrays("int32", SHAPE, elements=st.integers(-12, 12)).map(
    lambda quarters: quarters.astype("float32") / 4
)

compiled_losses: dict = {}


def value(loss, labels, scores):
    """`loss.call`: one number per image. Equal losses share a graph."""
    key = type(loss), json.dumps(loss.get_config())
    if key not in compiled_losses:
        compiled_losses[key] = compiled(loss.call, FASTEST)
    return numbers(compiled_losses[key](tensor(labels), tensor(scores)))


@pytest.mark.parametrize("name", DETERMINISTIC)
@every_example
@given(
    labels=all_labels,
    scores=all_scores,
    images=st.permutations(range(16)),
    tags=st.permutations(range(6)),
    shift=st.integers(-40, 40),
    others=all_scores,
)
def test_neither_order_nor_shifts_nor_unknown_tags_matter(
    name, labels, scores, images, tags, shift, others
):
    loss = LOSSES[name]()
    expected = value(loss, labels, scores)
    alike = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(
        value(loss, labels[images], scores[images]), expected[images], **alike
    )
    hidden = np.where(labels == -1, others * 100, scores)
    np.testing.assert_allclose(value(loss, labels, hidden), expected, **alike)
    # Positives with equal scores are placed in the order of their tags.
    if name != "k-order":
        np.testing.assert_allclose(value(loss, labels[:, tags], scores[:, tags]), expected, **alike)
    if name in (*HINGES, "lsep", "softmax"):
        shifted = scores + np.float32(shift / 4)
        np.testing.assert_allclose(value(loss, labels, shifted), expected, **alike)


@pytest.mark.parametrize("name", SAMPLED)
def test_scores_of_unknown_tags_are_never_drawn(name):
    labels, scores = random_batch(seed=7)
    unknown = labels == -1
    others = np.where(unknown, 1e4, scores).astype(scores.dtype)
    # Not compiled: on JAX the draws of a traced call depend on the scores.
    expected = value_once(LOSSES[name](), labels, scores, "eager")
    assert_close(value_once(LOSSES[name](), labels, others, "eager"), expected)


@pytest.mark.parametrize("name", ["ranking", "sampled", "loop", "k-order-sampled"])
def test_a_shift_by_a_million_costs_no_accuracy(name):
    """A million is far from the differences of the scores, and changes no draw."""
    labels, scores = random_batch(seed=10)
    # Eighths, so that float32 represents the shifted scores.
    scores = np.round(scores * 8) / 8
    expected = value_once(LOSSES[name](), labels, scores, "eager")
    shifted = value_once(LOSSES[name](), labels, scores + 2.0**20, "eager")
    np.testing.assert_allclose(shifted, expected, rtol=1e-4, atol=1e-9)


@every_loss
@every_example
@given(labels=all_labels, scores=all_scores)
def test_no_loss_is_negative_or_infinite(name, labels, scores):
    values = value(LOSSES[name](), labels, scores)
    assert np.isfinite(values).all() and (values >= -1e-5).all()


@pytest.mark.parametrize("rank", ["sampled", "loop", "expected", "exact"])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_warps_weights_are_between_zero_and_the_last_rank(rank, labels, scores):
    ranking = value(PairwiseRanking(normalization="none"), labels, scores)
    warp = value(WARP(rank=rank, normalization="none", seed=1), labels, scores)
    # L(0) = 0, or L(1) = 1 for a violated positive's exact rank, and L(c - 1) = L(5).
    assert (warp >= (ranking if rank == "exact" else 0) - 1e-4).all()
    assert (warp <= (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) * ranking + 1e-4).all()


@pytest.mark.parametrize("name", [name for name in DETERMINISTIC if name in HINGES])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_twice_the_scores_and_the_margin_is_twice_the_loss(name, labels, scores):
    twice = value(LOSSES[name](margin=2.0), labels, 2 * scores)
    expected = 2 * value(LOSSES[name](), labels, scores)
    np.testing.assert_allclose(twice, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["ranking-none", "exact-none", "lsep", "bce", "asymmetric"])
@every_example
@given(labels=all_labels, scores=all_scores, tag=st.integers(0, 5), rise=st.integers(1, 8))
def test_a_higher_positive_never_costs_more_and_a_higher_negative_never_less(
    name, labels, scores, tag, rise
):
    make = LOSSES.get(name, lambda: WARP(rank="exact", normalization="none"))
    higher = scores.copy()
    higher[:, tag] += rise / 4
    change = value(make(), labels, higher) - value(make(), labels, scores)
    assert (change[labels[:, tag] == 1] <= 1e-5).all()
    assert (change[labels[:, tag] == 0] >= -1e-5).all()
