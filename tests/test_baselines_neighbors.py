"""kNN, JEC and 2PKNN: the search against float64, the votes by hand and image by image."""

import math

import numpy as np
import pytest

from warptag.baselines import JECAnnotator, KNNAnnotator, TwoPassKNNAnnotator, neighbors
from warptag.baselines.neighbors import NearestImages

BLOCKS = [3, 2, 4]


def random_set(num_images=60, num_tags=9, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    features = np.repeat([1.0, 50.0, 0.01], BLOCKS) * random.normal(size=(num_images, 9))
    return features.astype(np.float32), labels


def search_in_float64(X, queries, k):
    """Every difference squared; equal distances in the order of the training images."""
    squared = ((queries[:, None].astype(float) - X.astype(float)) ** 2).sum(axis=2)
    indices = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(squared, indices, axis=1)


@pytest.mark.parametrize("k", [1, 30, 120])
@pytest.mark.parametrize(("offset", "unit"), [(0, 1), (1e4, 1e-18), (1e4, 1e18)])
def test_neighbors_are_those_of_a_search_in_float64(k, offset, unit, monkeypatch):
    # Small inputs are cut into several blocks, the last ones incomplete.
    monkeypatch.setattr(neighbors, "NUM_QUERIES", 7)
    monkeypatch.setattr(neighbors, "_NUM_TRAIN", 16)
    # In float32, |q|^2 - 2 q.x + |x|^2 of values near 10,000 is wrong by more than the distances.
    random = np.random.default_rng(1)
    X, queries = (
        (offset + random.normal(size=(n, 9))).astype(np.float32) * np.float32(unit)
        for n in (120, 23)
    )
    if not offset:
        # Of whole numbers, each distance occurs many times, in all blocks.
        X, queries = X.round(), queries.round()
    found, expected = NearestImages(X).find(queries, k), search_in_float64(X, queries, k)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_the_vote_of_knn_by_hand():
    # Points 0, 1 and 3. With k = 2, each point's second other point is 3, 2 and 3 away, so the
    # unit of squared distance is (9 + 4 + 9) / 3.
    annotator = KNNAnnotator(k=2, sigma=1.0).fit([[0], [1], [3]], [[1, 0], [1, 1], [0, 1]])
    unit = (9 + 4 + 9) / 3
    assert annotator.scale_ == pytest.approx(unit)
    # Query 0.2: neighbours 0 (squared distance 0.04) and 1 (0.64); the nearest weighs 1.
    second = math.exp(-(0.64 - 0.04) / unit)
    expected = [[(1 + second) / 2, second / 2]]
    np.testing.assert_allclose(annotator.decision_function([[0.2]]), expected, rtol=1e-5)


def slow_distances(queries, X):
    """Scaled base distances, pair by pair, float64 (num_blocks, num_queries, num_train)."""
    X, queries = X.astype(np.float64), queries.astype(np.float64)
    ends = np.cumsum(BLOCKS)
    result = []
    for start, end in zip(ends - BLOCKS, ends, strict=True):
        train = np.array([[np.linalg.norm((a - b)[start:end]) for b in X] for a in X])
        others = train[~np.eye(len(X), dtype=bool)]
        plain = np.array([[np.linalg.norm((a - b)[start:end]) for b in X] for a in queries])
        result.append((plain - others.min()) / (others.max() - others.min()))
    return np.array(result)


def ranking(scores):
    return np.argsort(-scores, axis=1, kind="stable").tolist()


def greedy_ranking(nearest, labels):
    """The JEC paper's algorithm for one image, and the rest by frequency."""
    frequency = labels.sum(axis=0)
    by_frequency = sorted(range(labels.shape[1]), key=lambda tag: (-frequency[tag], tag))
    first = [tag for tag in by_frequency if labels[nearest[0], tag]]
    values = {}
    for tag in by_frequency:
        local = sum(labels[neighbor, tag] for neighbor in nearest[1:])
        together = sum((labels[:, tag] * labels[:, other]).sum() for other in first)
        if local and tag not in first:
            values[tag] = (local * together, local, frequency[tag], -tag)
    second = sorted(values, key=values.__getitem__, reverse=True)
    return first + second + [tag for tag in by_frequency if tag not in first + second]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_jec_agrees_with_the_algorithm_image_by_image(k, monkeypatch):
    X, Y = random_set()
    queries, _ = random_set(num_images=25, seed=1)
    distances = slow_distances(queries, X).mean(axis=0)
    expected = [greedy_ranking(np.argsort(row)[:k], Y) for row in distances]
    annotator = JECAnnotator(k=k, blocks=BLOCKS)
    assert ranking(annotator.fit(X, Y).decision_function(queries)) == expected
    # In small slices, and with features in other units.
    monkeypatch.setattr("warptag.baselines.base_distances._NUM_DISTANCES", 4 * 3 * len(X))
    units = np.repeat([1000.0, 0.1, 7.0], BLOCKS)
    assert ranking(annotator.fit(units * X, Y).decision_function(units * queries)) == expected


def share_of_votes(distances, labels, k, scale):
    """2PKNN for one image: the neighbourhood, then each tag's sum over it."""
    neighborhood = set()
    for tag in range(labels.shape[1]):
        images = [image for image in np.argsort(distances) if labels[image, tag]]
        neighborhood.update(images[:k])
    votes = {image: math.exp(-scale * distances[image]) for image in neighborhood}
    return [
        sum(vote for image, vote in votes.items() if labels[image, tag]) / sum(votes.values())
        for tag in range(labels.shape[1])
    ]


@pytest.mark.parametrize("k", [1, 3, 100])
def test_2pknn_agrees_with_the_formula_image_by_image(k):
    X, Y = random_set()
    Y[:, 4] = 0  # a tag without an image scores 0
    queries, _ = random_set(num_images=20, seed=1)
    annotator = TwoPassKNNAnnotator(k=k, scale=7.0, blocks=BLOCKS).fit(X, Y)
    distances = slow_distances(queries, X).mean(axis=0)
    expected = [share_of_votes(row, Y, k, scale=7.0) for row in distances]
    scores = annotator.decision_function(queries)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    # Far from all images too, somebody votes; without tags, nobody.
    far = annotator.decision_function(1e4 + X)
    assert np.isfinite(far).all() and (far.max(axis=1) > 0).all()
    np.testing.assert_array_equal(annotator.fit(X, 0 * Y).decision_function(X), 0 * Y)
