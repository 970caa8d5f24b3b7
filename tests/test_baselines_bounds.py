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
    # An unknown label is not a true tag.
    assert top(upper_bound_scores([[-1, 1, 0, -1]]), 1)[0] == 1
    # Equal counts: the lower tag first.
    assert list(top(upper_bound_scores([[0, 1, 1], [0, 1, 1]]), 2)[0]) == [1, 2]


@pytest.mark.parametrize("rule", ["rarest", "random"])
def test_every_top_k_is_as_right_as_it_can_be_without_ties(rule):
    labels = random_labels()
    scores = upper_bound_scores(labels, rule=rule, seed=1)
    np.testing.assert_array_equal(scores, upper_bound_scores(labels, rule=rule, seed=1))
    assert (scores != upper_bound_scores(labels, rule=rule, seed=2)).any()
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(np.sort(scores, axis=1), np.tile(np.arange(12), (200, 1)))
    for k in range(1, labels.shape[1] + 1):
        correct = np.take_along_axis(labels, top(scores, k), axis=1).sum(axis=1)
        np.testing.assert_array_equal(correct, np.minimum(labels.sum(axis=1), k))


def test_most_frequent_by_hand():
    # Shares: 3 of 3, 2 of 3, 1 of 2 known, none known.
    scores = most_frequent_scores([[1, 1, 1, -1], [1, 1, 0, -1], [1, 0, -1, -1]], num_images=2)
    np.testing.assert_allclose(scores, [[1, 2 / 3, 1 / 2, 0]] * 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *((upper_bound_scores, (labels,)) for labels in ([1, 0], [[0.5, 1]], [[np.nan, 1]], [[]])),
        (upper_bound_scores, (LABELS, "commonest")),
        (most_frequent_scores, ([1, 0], 1)),
        (most_frequent_scores, (LABELS, -1)),
    ],
)
def test_bad_arguments_are_refused(function, arguments):
    with pytest.raises(ValueError, match="must"):
        function(*arguments)
