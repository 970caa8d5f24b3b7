"""The pairwise hinge processes the positives in chunks of `violators.NUM_COLUMNS` columns.

The pairs of a chunk are compared at once where they are at most `violators.MAX_COMPARISONS`.
"""

from functools import partial

import losses_references as references
import numpy as np
import pytest
from losses_support import FLOAT, GRAPHS, compiled, numbers, tensor, value_and_gradient

from warptag.losses import WARP, KOrderStatisticWARP, violators


def tied_images():
    """20, 1, 0, 2, ... positives; few values, 0.0 and -0.0 among them, gaps exactly the margin."""
    generator = np.random.default_rng(0)
    labels = generator.choice([1, 0, -1], (12, 24), p=[0.4, 0.4, 0.2])
    labels[0], labels[0, :20] = 0, 1
    labels[1], labels[1, 7] = 0, 1
    labels[2] = 0
    labels[3], labels[3, [2, 23]] = -1, 1
    labels[3, 5:9] = 0
    labels[4] = 1
    scores = generator.choice([-1.0, -0.0, 0.0, 0.5, 1.0, 2.0], labels.shape)
    return labels.astype(FLOAT), scores.astype(FLOAT)


@pytest.mark.parametrize("num_columns", [5, 1])
@pytest.mark.parametrize(
    "make",
    [
        partial(WARP, rank="expected", normalization="pairs"),
        partial(KOrderStatisticWARP, (2, 0, 1), rank="exact"),
    ],
)
def test_chunks_add_up_to_the_whole(make, num_columns, monkeypatch):
    labels, scores = tied_images()
    monkeypatch.setattr(violators, "NUM_COLUMNS", 24)
    whole = value_and_gradient(make(), labels, scores, "eager")
    monkeypatch.setattr(violators, "NUM_COLUMNS", num_columns)
    chunks = value_and_gradient(make(), labels, scores, "eager")
    for ours, theirs in zip(chunks, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        partial(WARP, negatives="sampled", tag_weights=np.linspace(0, 2, 24), seed=4),
        partial(KOrderStatisticWARP, (2, 0, 1), seed=4),
    ],
)
def test_one_table_of_pairs_and_one_column_at_a_time_give_the_same(make, monkeypatch):
    labels, scores = tied_images()
    table = value_and_gradient(make(), labels, scores)
    monkeypatch.setattr(violators, "MAX_COMPARISONS", 0)
    columns = value_and_gradient(make(), labels, scores)
    for ours, theirs in zip(columns, table, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert table[0].any()


@pytest.mark.parametrize("mode", ["eager", *GRAPHS[-1:]])
def test_any_number_of_positives_beside_images_with_one_and_none(mode):
    generator = np.random.default_rng(2)
    call = compiled(WARP(rank="exact").call, mode)
    for num_positives in (15, 16, 17, 33, 300):
        labels = generator.choice([0, -1], (4, 300), p=[0.9, 0.1]).astype("float32")
        labels[0, generator.permutation(300)[:num_positives]] = 1
        labels[1, 299] = 1
        labels[3, :5] = 1
        scores = generator.normal(size=labels.shape).astype("float32")
        values = numbers(call(tensor(labels), tensor(scores)))
        expected = references.pairwise(labels, scores, references.weight_exact, "violators")
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


NUM_IMAGES = 20_000


# Seven tags in one chunk, or in several.
@pytest.mark.parametrize("num_columns", [7, 1])
def test_the_single_violator_is_drawn_uniformly_whatever_the_drawn_rank(num_columns, monkeypatch):
    """Three of five negatives violate; six known tags, so ranks of 5, 2, 1 and none."""
    monkeypatch.setattr(violators, "NUM_COLUMNS", num_columns)
    labels = np.tile([1.0, 0, 0, 0, 0, 0, -1], (NUM_IMAGES, 1)).astype("float32")
    scores = np.tile([0.0, 2, -5, 0.5, -0.5, -9, 9], (NUM_IMAGES, 1)).astype("float32")
    loss = WARP(rank="sampled", negatives="sampled", normalization="none", seed=4)
    _, gradient = value_and_gradient(loss, labels, scores, "eager")
    weights = references.weight_probabilities(3, 5, 6)
    for violator in (1, 3, 4):
        for weight, probability in weights.items():
            together = np.isclose(gradient[:, violator], weight, rtol=1e-5).mean()
            # The weight 0 appears at the violators that were not taken, too.
            expected = probability / 3 if weight else 1 - (1 - probability) / 3
            spread = np.sqrt(expected * (1 - expected) / NUM_IMAGES)
            assert abs(together - expected) < 4.5 * spread, (weight, violator)
    assert not gradient[:, [2, 5, 6]].any()
