"""Joint Equal Contribution: the greedy ranking by hand and by a loop; distances and their scale."""

import numpy as np
import pytest

from warptag.baselines.jec import JECAnnotator

BLOCKS = [3, 2, 4]


def random_set(num_images=60, num_tags=9, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    features = np.repeat([1.0, 50.0, 0.01], BLOCKS) * random.normal(size=(num_images, 9))
    return features.astype(np.float32), labels


def ranking(scores):
    return np.argsort(-scores, axis=1, kind="stable").tolist()


def greedy_ranking(neighbors, labels):
    """The paper's algorithm for one image, and the rest by frequency."""
    frequency = labels.sum(axis=0)
    by_frequency = sorted(range(labels.shape[1]), key=lambda tag: (-frequency[tag], tag))
    first = [tag for tag in by_frequency if labels[neighbors[0], tag]]
    values = {}
    for tag in by_frequency:
        local = sum(labels[neighbor, tag] for neighbor in neighbors[1:])
        together = sum((labels[:, tag] * labels[:, other]).sum() for other in first)
        if local and tag not in first:
            values[tag] = (local * together, local, frequency[tag], -tag)
    second = sorted(values, key=values.__getitem__, reverse=True)
    return first + second + [tag for tag in by_frequency if tag not in first + second]


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


def test_greedy_transfer_by_hand():
    # From query 0 the neighbours are images 0, 1 and 2; image 3 is too far for k = 3.
    X = [[0.0], [1.0], [2.0], [9.0], [9.5]]
    Y = [
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 1, 0, 1, 0, 1],
        [0, 1, 0, 0, 0, 1],
    ]
    # The nearest has tags 1 (3 images) and 0 (1 image). Of the next tags, 3 is with tag 1 in
    # image 3 (product 2 * 1) and 2 never (2 * 0). The rest: tag 5 in two images, tag 4 in none.
    scores = JECAnnotator(k=3).fit(X, Y).decision_function([[-0.1]])
    assert ranking(scores) == [[1, 0, 3, 2, 5, 4]]
    np.testing.assert_allclose(np.sort(scores[0]), np.arange(1, 7) / 6, rtol=1e-6)
    # A nearest image without tags leaves the vote to the others.
    scores = JECAnnotator(k=3).fit(X, [[0] * 6, *Y[1:]]).decision_function([[-0.1]])
    assert ranking(scores)[0][:2] == [3, 2]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_ranking_agrees_with_the_algorithm_image_by_image(k, monkeypatch):
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
