"""The pairwise hinge processes the positives in chunks of `violators.NUM_COLUMNS` columns."""

from functools import partial

import losses_references as references
import numpy as np
import pytest
from losses_references import harmonic, pairwise_table, weight_probabilities
from losses_support import (
    FLOAT,
    GRAPHS,
    USUAL,
    compiled,
    compiled_calls,
    numbers,
    tensor,
    value,
    value_and_gradient,
    with_gradient,
)

from warptag.losses import WARP, KOrderStatisticWARP, violators

# Of 24 tags: all at once, in chunks, each by itself.
COLUMNS = {"at once": 24, "in chunks": 5, "one by one": 1}
MODES = list(dict.fromkeys([USUAL, *GRAPHS[-1:]]))


@pytest.fixture(params=COLUMNS)
def columns(request, monkeypatch):
    monkeypatch.setattr(violators, "NUM_COLUMNS", COLUMNS[request.param])
    # Functions that were compiled before have the other number in them.
    compiled_calls.clear()
    yield request.param
    compiled_calls.clear()


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


def test_the_result_is_the_sum_over_all_pairs(columns):
    labels, scores = tied_images()
    loss = partial(WARP, rank="expected", normalization="pairs")
    expected = pairwise_table(labels, scores, references.weight_expected, "pairs")
    actual = value_and_gradient(loss(), labels, scores)
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("labels_as", ["multi_hot", "ids"])
def test_positives_are_placed_by_their_scores(columns, labels_as):
    generator = np.random.default_rng(1)
    labels = generator.choice([1, 0], (12, 24)).astype(FLOAT)
    labels[0], labels[1] = 0, 1
    scores = generator.normal(size=labels.shape).astype(FLOAT)
    y_true = labels
    if labels_as == "ids":
        y_true = np.array([np.where(row == 1, np.arange(24), -1) for row in labels])
    loss = KOrderStatisticWARP((2, 0, 1), rank="exact", labels=labels_as)
    expected = references.k_order(
        labels, scores, references.weight_exact, "violators", places=(2, 0, 1)
    )
    np.testing.assert_allclose(value(loss, y_true, scores), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_any_number_of_positives_beside_images_with_one_and_none(mode):
    generator = np.random.default_rng(2)
    call = compiled(with_gradient(WARP(rank="exact").call), mode)
    for num_positives in (15, 16, 17, 33, 300):
        labels = generator.choice([0, -1], (4, 300), p=[0.9, 0.1]).astype("float32")
        labels[0, generator.permutation(300)[:num_positives]] = 1
        labels[1, 299] = 1
        labels[3, :5] = 1
        scores = generator.normal(size=labels.shape).astype("float32")
        expected = pairwise_table(labels, scores, references.weight_exact, "violators")
        for ours, theirs in zip(call(tensor(labels), tensor(scores)), expected, strict=True):
            np.testing.assert_allclose(numbers(ours), theirs, rtol=1e-4, atol=1e-5)


NUM_IMAGES = 20_000

# Six or seven tags: in one chunk, or in several.
one_or_more_chunks = pytest.mark.parametrize("columns", ["at once", "one by one"], indirect=True)


@one_or_more_chunks
def test_the_single_violator_is_drawn_uniformly_whatever_the_drawn_rank(columns):
    """Three of five negatives violate; six known tags, so ranks of 5, 2, 1 and none."""
    labels = np.tile([1.0, 0, 0, 0, 0, 0, -1], (NUM_IMAGES, 1)).astype("float32")
    scores = np.tile([0.0, 2, -5, 0.5, -0.5, -9, 9], (NUM_IMAGES, 1)).astype("float32")
    loss = WARP(rank="sampled", negatives="sampled", normalization="none", seed=4)
    _, gradient = value_and_gradient(loss, labels, scores)
    weights = weight_probabilities(3, 5, 6)
    for violator in (1, 3, 4):
        for weight, probability in weights.items():
            together = np.isclose(gradient[:, violator], weight, rtol=1e-5).mean()
            # The weight 0 appears at the violators that were not taken, too.
            expected = probability / 3 if weight else 1 - (1 - probability) / 3
            spread = np.sqrt(expected * (1 - expected) / NUM_IMAGES)
            assert abs(together - expected) < 4.5 * spread, (weight, violator)
    assert not gradient[:, [2, 5, 6]].any()


def test_every_positive_takes_one_of_its_own_violators(columns):
    """The value is that of the pairs in the gradient, each positive once."""
    labels, scores = tied_images()
    loss = WARP(rank="exact", negatives="sampled", normalization="none", seed=2)
    values, gradient = value_and_gradient(loss, labels, scores)
    for i, (label, f) in enumerate(zip(labels, scores, strict=True)):
        negatives = np.flatnonzero(label == 0)
        expected = 0.0
        for j in np.flatnonzero(label == 1):
            weight = harmonic(int((f[negatives] > f[j] - 1).sum()))
            assert gradient[i, j] == pytest.approx(-weight, rel=1e-5, abs=1e-6)
            expected += weight * (1 - f[j])
        expected += gradient[i, negatives] @ f[negatives]
        assert values[i] == pytest.approx(expected, rel=1e-5, abs=1e-5)
        # Only violators are pushed, and by as much as the positives are pulled.
        lowest = f[label == 1].min(initial=np.inf)
        assert not gradient[i, negatives][f[negatives] <= lowest - 1].any()
        assert abs(gradient[i].sum()) < 1e-4
        assert not gradient[i, label == -1].any()
