"""The exact search for neighbours against float64, and the kNN vote by hand."""

import math

import numpy as np
import pytest

from warptag.baselines import KNNAnnotator, neighbors
from warptag.baselines.neighbors import NearestImages


def search_in_float64(X, queries, k):
    """Every difference squared; equal distances in the order of the training images."""
    squared = ((queries[:, None].astype(float) - X.astype(float)) ** 2).sum(axis=2)
    indices = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(squared, indices, axis=1)


@pytest.fixture
def small_blocks(monkeypatch):
    """Small inputs are cut into several blocks, the last ones incomplete."""
    monkeypatch.setattr(neighbors, "NUM_QUERIES", 7)
    monkeypatch.setattr(neighbors, "_NUM_TRAIN", 16)


@pytest.mark.parametrize("k", [1, 5, 30, 120])
@pytest.mark.parametrize(("offset", "unit"), [(0, 1), (1e4, 1e-18), (1e4, 1), (1e4, 1e18)])
def test_neighbors_are_those_of_a_search_in_float64(small_blocks, k, offset, unit):
    # In float32, |q|^2 - 2 q.x + |x|^2 of values near 10,000 is wrong by more than the distances.
    random = np.random.default_rng(1)
    X, queries = (
        (offset + random.normal(size=(n, 9))).astype(np.float32) * np.float32(unit)
        for n in (120, 23)
    )
    found, expected = NearestImages(X).find(queries, k), search_in_float64(X, queries, k)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_of_equally_far_images_the_earlier_ones_are_neighbors(small_blocks):
    # A grid of whole numbers: each distance occurs many times, in all blocks.
    X = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2)
    X = X.astype(np.float32)
    indices, squared = NearestImages(X).find(X, 6)
    np.testing.assert_array_equal(indices, search_in_float64(X, X, 6)[0])
    np.testing.assert_array_equal(indices[:, 0], np.arange(100))
    assert not squared[:, 0].any()


def test_the_vote_by_hand():
    # Points 0, 1 and 3. With k = 2, each point's second other point is 3, 2 and 3 away, so the
    # unit of squared distance is (9 + 4 + 9) / 3.
    annotator = KNNAnnotator(k=2, sigma=1.0).fit([[0], [1], [3]], [[1, 0], [1, 1], [0, 1]])
    unit = (9 + 4 + 9) / 3
    assert annotator.scale_ == pytest.approx(unit)
    # Query 0.2: neighbours 0 (squared distance 0.04) and 1 (0.64); the nearest weighs 1.
    second = math.exp(-(0.64 - 0.04) / unit)
    expected = [[(1 + second) / 2, second / 2]]
    np.testing.assert_allclose(annotator.decision_function([[0.2]]), expected, rtol=1e-5)


def test_scores_do_not_depend_on_the_unit_and_reach_far_images():
    random = np.random.default_rng(0)
    Y = np.eye(3, dtype=int)[np.arange(60) % 3]
    X = (4 * Y + random.normal(size=Y.shape)).astype(np.float32)
    annotator = KNNAnnotator(k=5).fit(X, Y)
    assert np.shares_memory(annotator.nearest_.X, X)
    scaled = KNNAnnotator(k=5).fit(1000 * X, Y).decision_function(1000 * X[:9])
    np.testing.assert_allclose(annotator.decision_function(X[:9]), scaled, rtol=1e-3)
    far = annotator.decision_function([[1e4, 0, 0]])
    assert far.argmax() == 0 and far.max() > 0
