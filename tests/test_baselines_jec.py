"""Joint Equal Contribution: the greedy ranking by hand and by a loop; distances and their scale."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from warptag.baselines.base_distances import BaseDistances, nearest_by_each
from warptag.baselines.jec import JECAnnotator


def random_set(num_images=60, num_tags=9, widths=(3, 2, 4), seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    scales = np.repeat([1.0, 50.0, 0.01], widths)
    features = scales * random.normal(size=(num_images, sum(widths)))
    return features.astype(np.float32), labels, list(widths)


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


def slow_distances(queries, X, blocks):
    """Scaled base distances, pair by pair, float64 (num_blocks, num_queries, num_train)."""
    X, queries = X.astype(np.float64), queries.astype(np.float64)
    ends = np.cumsum(blocks)
    result = []
    for start, end in zip(ends - blocks, ends, strict=True):
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


@pytest.mark.parametrize("k", [1, 2, 5])
def test_ranking_agrees_with_the_algorithm_image_by_image(k):
    X, Y, blocks = random_set()
    queries, _, _ = random_set(num_images=25, seed=1)
    scores = JECAnnotator(k=k, blocks=blocks).fit(X, Y).decision_function(queries)
    distances = slow_distances(queries, X, blocks).mean(axis=0)
    expected = [greedy_ranking(np.argsort(row)[:k], Y) for row in distances]
    assert ranking(scores) == expected


def test_a_nearest_image_without_tags_leaves_the_vote_to_the_others():
    X, Y = [[0.0], [1.0], [2.0], [9.0]], [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0]]
    scores = JECAnnotator(k=3).fit(X, Y).decision_function([[0.0]])
    assert ranking(scores) == [[1, 2, 0]]


def test_features_of_any_unit_contribute_equally():
    X, Y, blocks = random_set()
    queries, _, _ = random_set(num_images=25, seed=1)
    scores = JECAnnotator(blocks=blocks).fit(X, Y).decision_function(queries)
    units = np.repeat([1000.0, 0.1, 7.0], blocks)
    again = JECAnnotator(blocks=blocks).fit(units * X, Y).decision_function(units * queries)
    np.testing.assert_array_equal(scores, again)


def test_an_unknown_label_counts_as_an_absent_tag():
    X, Y, blocks = random_set()
    unknown = np.where(Y == 0, -1, Y)
    np.testing.assert_array_equal(
        JECAnnotator(blocks=blocks).fit(X, Y).decision_function(X),
        JECAnnotator(blocks=blocks).fit(X, unknown).decision_function(X),
    )


@pytest.mark.parametrize("num_train", [1, 2, 3])
def test_few_or_identical_training_images_are_enough(num_train):
    Y = np.eye(3, dtype=int)[:num_train]
    for X in (np.ones((num_train, 2)), np.arange(2.0 * num_train).reshape(-1, 2)):
        scores = JECAnnotator(blocks=[1, 1]).fit(X, Y).decision_function([[1, 1], [-5, 7]])
        assert np.isfinite(scores).all()
        assert sorted(scores[0]) == pytest.approx([1 / 3, 2 / 3, 1])


def test_base_distances_agree_with_those_of_pairs():
    X, _, blocks = random_set()
    queries, _, _ = random_set(num_images=7, seed=1)
    expected = slow_distances(queries, X, blocks)
    np.testing.assert_allclose(BaseDistances(X, blocks)(queries), expected, atol=1e-5)
    # A common offset, such as features that are never negative have, costs little accuracy.
    moved = BaseDistances(X[:, :3] + 1000, [3])(queries[:, :3] + 1000)
    np.testing.assert_allclose(moved, expected[:1], atol=1e-3)


def test_distances_are_the_same_in_any_slices(monkeypatch):
    X, Y, blocks = random_set()
    scores = JECAnnotator(blocks=blocks).fit(X, Y).decision_function(X)
    monkeypatch.setattr("warptag.baselines.base_distances._NUM_DISTANCES", 4 * 3 * len(X))
    assert [s.stop - s.start for s in BaseDistances(X, blocks).query_slices(9)] == [4, 4, 1]
    again = JECAnnotator(blocks=blocks).fit(X, Y).decision_function(X)
    np.testing.assert_array_equal(scores, again)


def test_neighbours_are_taken_from_the_rankings_in_turn():
    # The first distance ranks 0 1 2 3 4, the second 4 1 0 3 2: taken are 0, 4, 1 (once), 2.
    distances = np.array([[[0.0, 1.0, 2.0, 3.0, 4.0]], [[2.0, 1.0, 4.0, 3.0, 0.0]]])
    for k in range(1, 6):
        assert nearest_by_each(distances, k).tolist() == [[0, 4, 1, 2, 3][:k]]


def test_parameters_survive_a_clone():
    annotator = JECAnnotator(k=7, blocks=[2, 1])
    assert clone(annotator).get_params() == annotator.get_params()


def test_bad_input_is_refused():
    X, Y, blocks = random_set()
    with pytest.raises(NotFittedError):
        JECAnnotator().decision_function(X)
    with pytest.raises(ValueError, match="k must be"):
        JECAnnotator(k=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"add up to the 9 features of X, got \[4, 4\]"):
        JECAnnotator(blocks=[4, 4]).fit(X, Y)
    with pytest.raises(ValueError, match="integers of at least 1"):
        JECAnnotator(blocks=[9, 0]).fit(X, Y)
    with pytest.raises(ValueError, match="one row an image"):
        JECAnnotator().fit(X, Y[:-1])
    annotator = JECAnnotator(blocks=blocks).fit(X, Y)
    with pytest.raises(ValueError, match="9 features"):
        annotator.decision_function(X[:, :2])
    assert annotator.decision_function(X[:0]).shape == (0, 9)
