"""The losses of random labels and scores with many ties; numbers that change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from losses_cases import DETERMINISTIC, LOSSES, SAMPLED
from losses_support import assert_close, random_batch, value

from warptag.losses import WARP, PairwiseRanking

SHAPE = (16, 6)
every_example = settings(deadline=None, max_examples=4, derandomize=True)
all_labels = arrays("int32", SHAPE, elements=st.integers(-1, 1))
# Quarters: many ties, many scores exactly at the margin, and no rounding in sums of them.
all_scores = arrays("int32", SHAPE, elements=st.integers(-12, 12)).map(
    lambda quarters: quarters.astype("float32") / 4
)


@pytest.mark.parametrize("name", DETERMINISTIC)
@every_example
@given(labels=all_labels, scores=all_scores)
def test_ties_and_scores_at_the_margin_have_the_papers_value(name, labels, scores):
    make, reference = DETERMINISTIC[name]
    expected = reference(labels, scores)
    np.testing.assert_allclose(value(make(), labels, scores), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rank", ["sampled", "loop"])
@every_example
@given(labels=all_labels, scores=all_scores)
def test_warps_weights_are_between_zero_and_the_last_rank(rank, labels, scores):
    ranking = value(PairwiseRanking(normalization="none"), labels, scores)
    warp = value(WARP(rank=rank, normalization="none", seed=1), labels, scores)
    assert (warp >= 0).all()
    # L(c - 1) = L(5)
    assert (warp <= (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) * ranking + 1e-4).all()


@pytest.mark.parametrize("name", SAMPLED)
def test_scores_of_unknown_tags_are_never_drawn(name):
    labels, scores = random_batch(seed=7)
    others = np.where(labels == -1, 1e4, scores).astype(scores.dtype)
    # Not compiled: on JAX the draws of a traced call depend on the scores.
    expected = value(LOSSES[name](), labels, scores, "eager")
    assert_close(value(LOSSES[name](), labels, others, "eager"), expected)


@pytest.mark.parametrize("name", ["ranking", "sampled", "loop", "k-order-sampled"])
def test_a_shift_by_a_million_costs_no_accuracy(name):
    """A million is far from the differences of the scores, and changes no draw."""
    labels, scores = random_batch(seed=10)
    # Eighths, so that float32 represents the shifted scores.
    scores = np.round(scores * 8) / 8
    expected = value(LOSSES[name](), labels, scores, "eager")
    shifted = value(LOSSES[name](), labels, scores + 2.0**20, "eager")
    np.testing.assert_allclose(shifted, expected, rtol=1e-4, atol=1e-9)
