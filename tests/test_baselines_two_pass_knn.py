"""Two-pass k nearest neighbours: by hand, by a loop, rare tags, damage."""

import math

import numpy as np
import pytest

from warptag.baselines.base_distances import BaseDistances
from warptag.baselines.two_pass_knn import TwoPassKNNAnnotator


def random_set(num_images=60, num_tags=9, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    return random.normal(size=(num_images, 5)).astype(np.float32), labels


def share_of_votes(distances, labels, k, scale):
    """The formula for one image: the neighbourhood, then each tag's sum over it."""
    neighborhood = set()
    for tag in range(labels.shape[1]):
        images = [image for image in np.argsort(distances) if labels[image, tag]]
        neighborhood.update(images[:k])
    votes = {image: math.exp(-scale * distances[image]) for image in neighborhood}
    return [
        sum(vote for image, vote in votes.items() if labels[image, tag]) / sum(votes.values())
        for tag in range(labels.shape[1])
    ]


def test_votes_by_hand():
    # The greatest distance is 4 and the least 1: D = (d - 1) / 3. From 0.5, tag 0 is nearest in
    # image 0 (d = 0.5), tag 1 in image 1 (d = 0.5), tag 2 in image 2 (d = 3.5); image 3 is none.
    X, Y = [[0.0], [1.0], [4.0], [3.0]], [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]]
    far = math.exp(-2.0 * (3.5 - 0.5) / 3)
    scores = TwoPassKNNAnnotator(k=1, scale=2.0).fit(X, Y).decision_function([[0.5]])
    # Image 1, there for tag 1, votes for its tag 0 as well.
    np.testing.assert_allclose(scores, [np.array([2, 1, far]) / (2 + far)], rtol=1e-5)


@pytest.mark.parametrize("k", [1, 3, 100])
def test_scores_agree_with_the_formula_image_by_image(k):
    X, Y = random_set()
    queries, _ = random_set(num_images=20, seed=1)
    annotator = TwoPassKNNAnnotator(k=k, scale=7.0, blocks=[2, 3]).fit(X, Y)
    distances = BaseDistances(X, [2, 3])(queries).mean(axis=0)
    expected = [share_of_votes(row, Y, k, scale=7.0) for row in distances.astype(np.float64)]
    scores = annotator.decision_function(queries)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_tags_without_an_image_score_0():
    X, Y = random_set()
    Y[:, 4] = 0
    scores = TwoPassKNNAnnotator(k=2, scale=1.0).fit(X, Y).decision_function(X)
    assert (scores[:, 4] == 0).all()
    assert (np.delete(scores, 4, axis=1) > 0).all()
    far = TwoPassKNNAnnotator().fit(X, Y).decision_function(1e4 + X)
    assert np.isfinite(far).all() and (far.max(axis=1) > 0).all()
    no_tags = TwoPassKNNAnnotator().fit(X, 0 * Y).decision_function(X)
    np.testing.assert_array_equal(no_tags, 0 * Y)
