"""Padded tag ids as labels: the same losses as for multi-hot labels, and invalid ids."""

import numpy as np
import pytest
from losses_cases import LOSSES, TAG_WEIGHTS, every_deterministic_loss, some_losses
from losses_support import (
    FLOAT,
    assert_close,
    in_the_last_graph,
    padded_ids,
    random_batch,
    reduced,
    value,
    value_and_gradient,
)

from warptag.losses import LSEP, PairwiseRanking


def batch(seed=0):
    """Multi-hot labels without unknowns, ids with padding, and scores; two rows are alike."""
    labels, scores = random_batch(seed)
    labels[labels == -1] = 0
    labels[3, 0], labels[4, 0] = 1, 0
    return labels, padded_ids(labels, width=11, seed=seed), scores


@every_deterministic_loss
def test_ids_give_the_value_and_gradient_of_multi_hot_labels(name):
    labels, ids, scores = batch()
    # Rows without positives (all padding) and with every tag, padding in front and between.
    assert (ids[1] == -1).all() and (ids[0] >= 0).sum() == 9 and (ids[:, 0] == -1).any()
    expected = value_and_gradient(LOSSES[name](tag_weights=TAG_WEIGHTS), labels, scores)
    # Tag 0 is what careless padding would write to.
    assert (labels[:, 0] == 1).sum() > 2 and expected[1][:, 0].any()
    loss = LOSSES[name](labels="ids", tag_weights=TAG_WEIGHTS)
    for ours, theirs in zip(value_and_gradient(loss, ids, scores), expected, strict=True):
        assert_close(ours, theirs)


@in_the_last_graph
def test_ids_give_the_same_in_a_graph(mode):
    labels, ids, scores = batch(seed=1)
    expected = value_and_gradient(LOSSES["k-order"](), labels, scores)
    loss = LOSSES["k-order"](labels="ids")
    for ours, theirs in zip(value_and_gradient(loss, ids, scores, mode), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "ids", [[0, 2, -1, -1, -1], [2, 0, -1, -1, -1], [-1, 0, -1, -1, 2], [2, 0, 2, 0, 0]]
)
def test_order_padding_and_repeats_do_not_matter(ids):
    loss = PairwiseRanking(normalization="none", labels="ids")
    values, gradient = value_and_gradient(loss, [ids], [[0.5, 2.0, 0.0, -0.75]])
    # Positives 0.5 and 0, negatives 2 and -0.75: gaps 2.5, 3 and 0.25.
    np.testing.assert_allclose(values, [2.5 + 3 + 0.25])
    np.testing.assert_allclose(gradient, [[-1, 2, -2, 1]])


@pytest.mark.parametrize("name", ["sampled", "loop", "one-negative"])
def test_sampling_losses_are_zero_with_nothing_to_compare(name):
    ids = np.array([[-1, -1, -1], [0, 1, 2]], "int32")
    values, gradient = value_and_gradient(LOSSES[name](labels="ids"), ids, np.ones((2, 3), FLOAT))
    assert not values.any() and not gradient.any()
    if name == "sampled":
        assert not value(LOSSES[name](labels="ids"), ids[:, :0], np.ones((2, 3), FLOAT)).any()


@pytest.mark.parametrize("kind", ["int32", "int64", "float32", "int8"])
def test_ids_of_every_dtype_are_accepted(kind):
    labels, ids, scores = batch(seed=2)
    assert_close(value(LSEP(labels="ids"), ids.astype(kind), scores), value(LSEP(), labels, scores))


@some_losses
def test_the_loss_object_accepts_ids(name):
    """Keras casts labels to the dtype of the loss, float32."""
    _, ids, scores = batch(seed=3)
    per_image = value(LOSSES[name](labels="ids"), ids, scores.astype("float32"))
    expected = per_image.astype("float64").mean()
    assert reduced(LOSSES[name](labels="ids"), ids, scores) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("wrong", [9, -2, 100_000, 0.5, float("nan")])
@pytest.mark.parametrize("name", ["ranking", "softmax"])
def test_an_invalid_id_is_named(name, wrong):
    _, ids, scores = batch()
    ids = ids.astype("float32")
    ids[5, 2] = wrong
    with pytest.raises(ValueError, match=f"from 0 to 8.* got {wrong}"):
        LOSSES[name](labels="ids").call(ids, scores)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_half_precision_loss_of_ids_is_refused(dtype):
    """float16 has no 2049: Keras would round the ids."""
    with pytest.raises(ValueError, match=dtype):
        PairwiseRanking(labels="ids", dtype=dtype)


@pytest.mark.parametrize(
    ("ids_shape", "scores_shape"), [((3, 2), (4, 5)), ((4,), (4, 5)), ((4, 2, 1), (4, 5))]
)
def test_shapes_that_do_not_match_are_named(ids_shape, scores_shape):
    with pytest.raises(ValueError) as error:
        PairwiseRanking(labels="ids").call(
            np.zeros(ids_shape, "int32"), np.zeros(scores_shape, "float32")
        )
    assert str(ids_shape) in str(error.value) and str(scores_shape) in str(error.value)


def test_ids_given_to_a_multi_hot_loss_are_explained():
    with pytest.raises(ValueError, match="labels='ids'"):
        PairwiseRanking().call(np.zeros((4, 2), "int32"), np.zeros((4, 5), "float32"))
