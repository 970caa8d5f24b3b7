"""The upper bound and the most frequent tags."""

import numpy as np
import pytest

from warptag.baselines import most_frequent_scores, upper_bound_scores

LABELS = np.array(
    [
        [1, 1, 1, 0],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
    ]
)


def random_labels(num_images=200, num_tags=12):
    random = np.random.default_rng(3)
    share = np.linspace(0.05, 0.6, num_tags)
    return (random.random((num_images, num_tags)) < share).astype(int)


def top(scores, k):
    return np.argsort(-scores, axis=1)[:, :k]


def test_rarest_first_by_hand():
    # Counts are 3, 2, 1, 0: of its true tags, image 0 takes 2, then 1, then 0, and tag 3 is left.
    scores = upper_bound_scores(LABELS, rule="rarest")
    np.testing.assert_array_equal(scores[0], [1, 2, 3, 0])
    assert list(top(scores, 2)[1]) == [1, 0]
    assert top(scores, 1)[2] == 0
    # Equal counts: the lower tag first.
    assert list(top(upper_bound_scores([[0, 1, 1], [0, 1, 1]]), 2)[0]) == [1, 2]


@pytest.mark.parametrize("rule", ["rarest", "random"])
def test_every_top_k_is_as_right_as_it_can_be_without_ties(rule):
    labels = random_labels()
    scores = upper_bound_scores(labels, rule=rule)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(np.sort(scores, axis=1), np.tile(np.arange(12), (200, 1)))
    for k in range(1, labels.shape[1] + 1):
        correct = np.take_along_axis(labels, top(scores, k), axis=1).sum(axis=1)
        np.testing.assert_array_equal(correct, np.minimum(labels.sum(axis=1), k))


def test_seed_decides_the_random_order():
    labels = random_labels()
    for rule in ("rarest", "random"):
        first = upper_bound_scores(labels, rule=rule, seed=1)
        np.testing.assert_array_equal(first, upper_bound_scores(labels, rule=rule, seed=1))
        assert (first != upper_bound_scores(labels, rule=rule, seed=2)).any()


def test_unknown_is_not_a_true_tag():
    labels = np.tile([-1, 1, 0, -1], (50, 1))
    assert (top(upper_bound_scores(labels, rule="random"), 1) == 1).all()


@pytest.mark.parametrize("labels", [[1, 0], [[0.5, 1]], [[np.nan, 1]], [[2, 0]], [[]]])
def test_bad_labels_are_refused(labels):
    with pytest.raises(ValueError, match="y_true must"):
        upper_bound_scores(labels)


def test_most_frequent_by_hand():
    # Shares: 3 of 3, 2 of 3, 1 of 2 known, none known.
    scores = most_frequent_scores([[1, 1, 1, -1], [1, 1, 0, -1], [1, 0, -1, -1]], num_images=2)
    np.testing.assert_allclose(scores, [[1, 2 / 3, 1 / 2, 0]] * 2, rtol=1e-6)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="rule"):
        upper_bound_scores(LABELS, rule="commonest")
    with pytest.raises(ValueError, match="train_labels must"):
        most_frequent_scores([1, 0], num_images=1)
    with pytest.raises(ValueError, match="num_images"):
        most_frequent_scores(LABELS, num_images=-1)
