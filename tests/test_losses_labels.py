"""What does not change a loss: unknown tags, order, shifts, types of labels and scores."""

import numpy as np
import pytest
from losses_cases import (
    LOSSES,
    SAMPLED,
    every_deterministic_loss,
    every_pairwise_loss,
    some_losses,
)
from losses_support import (
    USUAL,
    assert_close,
    numbers,
    random_batch,
    tensor,
    value,
    value_and_gradient,
)


@every_deterministic_loss
def test_scores_of_unknown_tags_change_nothing(name):
    labels, scores = random_batch(seed=7)
    unknown = labels == -1
    others = np.where(unknown, np.linspace(-1e4, 1e4, 9), scores).astype(scores.dtype)
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores)
    same, alike = value_and_gradient(LOSSES[name](), labels, others)
    assert values.any() and unknown.sum() > 20
    assert_close(same, values)
    assert_close(alike, gradient)
    assert not gradient[unknown].any()


@pytest.mark.parametrize("name", SAMPLED)
def test_scores_of_unknown_tags_are_never_drawn(name):
    labels, scores = random_batch(seed=7)
    unknown = labels == -1
    others = np.where(unknown, 1e4, scores).astype(scores.dtype)
    # `call` without a gradient: on JAX the draws of a traced call follow from the scores.
    expected = value(LOSSES[name](), labels, scores, "eager")
    assert_close(value(LOSSES[name](), labels, others, "eager"), expected)


@some_losses
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores_are_computed_in_float32(name, dtype):
    labels, scores = random_batch(seed=8, dtype="float32")
    rounded = numbers(tensor(scores, dtype)).astype("float32")
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores, dtype=dtype)
    exact, _ = value_and_gradient(LOSSES[name](), labels, rounded)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, exact, rtol=1e-6)
    assert np.isfinite(gradient).all() and gradient.any()


@some_losses
def test_integer_scores_and_labels_and_boolean_labels_are_taken(name):
    labels, scores = random_batch(seed=4, dtype="float32")
    labels, scores = np.abs(labels), np.round(scores)
    expected = value(LOSSES[name](), labels, scores, "eager")
    assert expected.any()
    for kind in ("int32", "uint8", "bool"):
        values = value(LOSSES[name](), labels.astype(kind), scores.astype("int32"), "eager")
        np.testing.assert_array_equal(values, expected)


@every_deterministic_loss
def test_the_order_of_the_tags_does_not_matter(name):
    labels, scores = random_batch(seed=9)
    order = np.random.default_rng(0).permutation(labels.shape[1])
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores)
    same, moved = value_and_gradient(LOSSES[name](), labels[:, order], scores[:, order])
    assert_close(same, values)
    assert_close(moved, gradient[:, order])


@every_pairwise_loss
@pytest.mark.parametrize("shift", [-64.0, 2.0**20])
def test_a_shift_of_all_scores_does_not_matter(name, shift):
    """Nor does it cost accuracy: a million is far from the differences of the scores."""
    labels, scores = random_batch(seed=10)
    # Eighths, so that float32 holds the shifted scores.
    scores = np.round(scores * 8) / 8
    # (On JAX the draws of a compiled call follow from the scores.)
    mode = "eager" if name in SAMPLED else USUAL
    values = value(LOSSES[name](), labels, scores, mode)
    shifted = value(LOSSES[name](), labels, scores + shift, mode)
    # A smooth loss adds up the scores themselves.
    atol = 1e-9 if name != "lsep" else 1e-7 * abs(shift)
    np.testing.assert_allclose(shifted, values, rtol=1e-4, atol=atol)
