"""TagProp: probabilities and gradients by loops, and what is learnt."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.sparse import csr_array
from scipy.special import expit

from warptag.baselines.base_distances import BaseDistances
from warptag.baselines.tagprop import Neighborhood, TagPropAnnotator, negative_log_likelihood

EPSILON = 1e-5
KINDS = [("distance", True), ("distance", False), ("rank", True), ("rank", False)]


def probabilities(weights, labels, sigmoids):
    """The paper's formula for an image, from its neighbours' weights and labels (k, num_tags)."""
    votes = weights @ labels
    if sigmoids is None:
        return EPSILON + (1 - 2 * EPSILON) * votes
    alpha, beta = sigmoids
    return 1 / (1 + np.exp(-(alpha * votes + beta)))


def tagged_images(num_images=150, num_tags=8, seed=0):
    """Two features of 5 columns: noise, then one that tells the tags."""
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.25).astype(int)
    directions = np.random.default_rng(99).normal(size=(num_tags, 5))
    features = random.normal(size=(num_images, 10))
    features[:, 5:] = labels @ directions + 0.3 * features[:, 5:]
    return features.astype(np.float32), labels


def in_turn(distances, k):
    """Neighbours taken from the ranking of each distance (num_blocks, num_train) in turn."""
    chosen = []
    for rank in range(distances.shape[1]):
        for row in distances:
            image = np.argsort(row)[rank]
            if image not in chosen:
                chosen.append(image)
    return chosen[:k]


@pytest.mark.parametrize(("weights", "sigmoid"), KINDS)
def test_probabilities_agree_with_the_formulas_image_by_image(weights, sigmoid):
    X, Y = tagged_images()
    queries, _ = tagged_images(num_images=12, seed=1)
    annotator = TagPropAnnotator(k=20, weights=weights, sigmoid=sigmoid, blocks=[5, 5]).fit(X, Y)
    sigmoids = (annotator.alpha_, annotator.beta_) if sigmoid else None
    if weights == "distance":  # the second feature tells the tags
        assert annotator.theta_[1] > 10 * annotator.theta_[0]
    scores = annotator.decision_function(queries)
    assert scores.dtype == np.float32
    all_distances = BaseDistances(X, [5, 5])(queries).astype(np.float64)
    for query, found in enumerate(expit(scores.astype(np.float64))):
        distances = all_distances[:, query]
        if weights == "rank":
            neighbors, share = np.argsort(distances.mean(axis=0))[:20], annotator.rank_weights_
        else:
            neighbors = in_turn(distances, 20)
            share = np.exp(-annotator.theta_ @ distances[:, neighbors])
        expected = probabilities(share / share.sum(), Y[neighbors], sigmoids)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    assert (np.diff(annotator.log_likelihoods_) > -1e-6).all()
    assert len(annotator.log_likelihoods_) > 1 if sigmoid else len(annotator.log_likelihoods_) == 1


@pytest.mark.parametrize("by_distance", [True, False])
@pytest.mark.parametrize("has_sigmoids", [True, False])
def test_likelihood_and_gradient_agree_with_the_definition(by_distance, has_sigmoids):
    # Neighbours of 6 images among 9, of 4 tags; one image has none, one label is unknown.
    random = np.random.default_rng(0)
    neighbors = random.permuted(np.tile(np.arange(9), (6, 1)), axis=1)[:, :5]
    distances = random.random((6, 5, 3)).astype(np.float32)
    labels = (random.random((9, 4)) < 0.5).astype(int)
    labels[2] = 0
    own = (random.random((6, 4)) < 0.4).astype(int)
    own[1, 2] = -1
    sigmoids = (4 * random.random(4), random.normal(size=4)) if has_sigmoids else None
    parameters = random.random(3 if by_distance else 5)

    expected = 0.0
    for image, known in enumerate(own):
        logits = -distances[image] @ parameters if by_distance else parameters
        weights = np.exp(logits) / np.exp(logits).sum()
        present = probabilities(weights, labels[neighbors[image]], sigmoids)
        expected += np.log(present[known == 1]).sum() / (own == 1).sum()
        expected += np.log(1 - present[known == 0]).sum() / (own == 0).sum()

    positive = csr_array(labels.astype(float))
    parts = [
        Neighborhood(neighbors[rows], distances[rows] if by_distance else None, positive)
        for rows in (slice(0, 4), slice(4, 6))
    ]
    value, gradient = negative_log_likelihood(parameters, parts, own, sigmoids)
    assert value == pytest.approx(-expected, rel=1e-6)
    assert np.abs(gradient).max() > 1e-3
    error = check_grad(
        lambda p: negative_log_likelihood(p, parts, own, sigmoids)[0],
        lambda p: negative_log_likelihood(p, parts, own, sigmoids)[1],
        parameters,
    )
    assert error < 1e-4 * np.abs(gradient).max()
