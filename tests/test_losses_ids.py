"""Padded tag ids as labels: the same losses as for multi-hot labels."""

import numpy as np
import pytest
from losses_cases import LOSSES, SAMPLED, TAG_WEIGHTS, every_deterministic_loss
from losses_support import (
    FLOAT,
    assert_close,
    padded_ids,
    random_batch,
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


@pytest.mark.parametrize("ids", [[0, 2, -1, -1, -1], [-1, 0, -1, -1, 2], [2, 0, 2, 0, 0]])
def test_order_padding_and_repeats_do_not_matter(ids):
    loss = PairwiseRanking(normalization="none", labels="ids")
    values, gradient = value_and_gradient(loss, [ids], [[0.5, 2.0, 0.0, -0.75]])
    # Positives 0.5 and 0, negatives 2 and -0.75: gaps 2.5, 3 and 0.25.
    np.testing.assert_allclose(values, [2.5 + 3 + 0.25])
    np.testing.assert_allclose(gradient, [[-1, 2, -2, 1]])


@pytest.mark.parametrize("name", SAMPLED)
def test_sampling_losses_are_zero_with_nothing_to_compare(name):
    ids = np.array([[-1, -1, -1], [0, 1, 2]], "int32")
    loss = LOSSES[name](labels="ids")
    values, gradient = value_and_gradient(loss, ids, np.ones((2, 3), FLOAT))
    assert not values.any() and not gradient.any()
    assert not value(loss, ids[:, :0], np.ones((2, 3), FLOAT)).any()


@pytest.mark.parametrize("kind", ["int64", "float32", "int8"])
def test_ids_of_every_dtype_are_accepted(kind):
    labels, ids, scores = batch(seed=2)
    assert_close(value(LSEP(labels="ids"), ids.astype(kind), scores), value(LSEP(), labels, scores))
