"""TagProp: probabilities and gradients by loops, and what is learnt."""

import math

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.sparse import csr_array
from scipy.special import expit

from warptag.baselines.base_distances import BaseDistances
from warptag.baselines.tagprop import Neighborhood, TagPropAnnotator, negative_log_likelihood

EPSILON = 1e-5
KINDS = [("distance", True), ("distance", False), ("rank", True), ("rank", False)]


def tagged_images(num_images=150, num_tags=8, seed=0):
    """Two features of 5 columns: noise, then one that tells the tags."""
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.25).astype(int)
    directions = np.random.default_rng(99).normal(size=(num_tags, 5))
    features = random.normal(size=(num_images, 10))
    features[:, 5:] = labels @ directions + 0.3 * features[:, 5:]
    return features.astype(np.float32), labels


def in_turn(distances, k):
    chosen = []
    for rank in range(distances.shape[1]):
        for row in distances:
            image = np.argsort(row)[rank]
            if image not in chosen:
                chosen.append(image)
    return chosen[:k]


def probabilities(annotator, distances, labels):
    """The formulas for one image, from its distances (num_blocks, num_train)."""
    k = annotator.k
    if annotator.weights == "rank":
        neighbors = np.argsort(distances.mean(axis=0))[:k]
        weights = annotator.rank_weights_
    else:
        neighbors = in_turn(distances, k)
        combined = [math.exp(-annotator.theta_ @ distances[:, j]) for j in neighbors]
        weights = np.array(combined) / sum(combined)
    result = []
    for tag in range(labels.shape[1]):
        if annotator.sigmoid:
            votes = sum(weights[place] * labels[j, tag] for place, j in enumerate(neighbors))
            log_odds = annotator.alpha_[tag] * votes + annotator.beta_[tag]
            result.append(1 / (1 + math.exp(-log_odds)))
        else:
            given = [1 - EPSILON if labels[j, tag] else EPSILON for j in neighbors]
            result.append(np.dot(weights, given))
    return result


@pytest.mark.parametrize(("weights", "sigmoid"), KINDS)
def test_probabilities_agree_with_the_formulas_image_by_image(weights, sigmoid):
    X, Y = tagged_images()
    queries, _ = tagged_images(num_images=12, seed=1)
    annotator = TagPropAnnotator(k=20, weights=weights, sigmoid=sigmoid, blocks=[5, 5]).fit(X, Y)
    distances = BaseDistances(X, [5, 5])(queries).astype(np.float64)
    expected = [probabilities(annotator, distances[:, i], Y) for i in range(len(queries))]
    scores = annotator.decision_function(queries)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(expit(scores.astype(np.float64)), expected, rtol=1e-3, atol=1e-6)
    assert (np.diff(annotator.log_likelihoods_) > -1e-6).all()
    assert len(annotator.log_likelihoods_) > 1 if sigmoid else len(annotator.log_likelihoods_) == 1


def problem(by_distance, seed=0):
    """Neighbours of 6 images among 9, of 4 tags; one image has none, one label is unknown."""
    random = np.random.default_rng(seed)
    neighbors = random.permuted(np.tile(np.arange(9), (6, 1)), axis=1)[:, :5]
    distances = random.random((6, 5, 3)).astype(np.float32)
    labels = (random.random((9, 4)) < 0.5).astype(int)
    labels[2] = 0
    own = (random.random((6, 4)) < 0.4).astype(int)
    own[1, 2] = -1
    sigmoids = 4 * random.random(4), random.normal(size=4)
    return neighbors, distances if by_distance else None, labels, own, sigmoids


@pytest.mark.parametrize("by_distance", [True, False])
@pytest.mark.parametrize("has_sigmoids", [True, False])
def test_likelihood_and_gradient_agree_with_the_definition(by_distance, has_sigmoids):
    neighbors, distances, labels, own, sigmoids = problem(by_distance)
    parameters = np.random.default_rng(5).random(3 if by_distance else 5)

    expected = 0.0
    for i, tag in np.argwhere(own != -1):
        logits = [parameters[j] if distances is None else -parameters @ distances[i, j]
                  for j in range(5)]  # fmt: skip
        weights = np.exp(logits) / np.sum(np.exp(logits))
        votes = sum(weights[j] * labels[neighbors[i, j], tag] for j in range(5))
        present = EPSILON + (1 - 2 * EPSILON) * votes
        if has_sigmoids:
            present = 1 / (1 + math.exp(-(sigmoids[0][tag] * votes + sigmoids[1][tag])))
        present = present if own[i, tag] == 1 else 1 - present
        expected += math.log(present) / (own == own[i, tag]).sum()

    positive = csr_array(labels.astype(float))
    slices = (slice(0, 4), slice(4, 6))
    parts = [
        Neighborhood(neighbors[s], None if distances is None else distances[s], positive)
        for s in slices
    ]
    rest = (parts, own, sigmoids if has_sigmoids else None)
    value, gradient = negative_log_likelihood(parameters, *rest)
    assert value == pytest.approx(-expected, rel=1e-6)
    assert np.abs(gradient).max() > 1e-3
    error = check_grad(
        lambda p: negative_log_likelihood(p, *rest)[0],
        lambda p: negative_log_likelihood(p, *rest)[1],
        parameters,
    )
    assert error < 1e-4 * np.abs(gradient).max()


def test_sigmoids_are_where_the_likelihood_is_greatest():
    X, Y = tagged_images(num_images=60)
    annotator = TagPropAnnotator(k=59, weights="rank").fit(X, Y)
    distances = BaseDistances(X)(X)[0]
    np.fill_diagonal(distances, -1)
    ranked = np.argsort(distances, axis=1)[:, 1:]
    votes = np.einsum("j,ijw->iw", annotator.rank_weights_, Y[ranked])
    weights = np.where(Y == 1, 1 / Y.sum(), 1 / (1 - Y).sum())

    def likelihood(alpha, beta):
        return np.sum(weights * np.log(expit(np.where(Y == 1, 1, -1) * (alpha * votes + beta))))

    best = likelihood(annotator.alpha_, annotator.beta_)
    assert best == pytest.approx(annotator.log_likelihoods_[-1], abs=1e-4)
    for change in (-0.5, 0.5):
        assert likelihood(annotator.alpha_ + change, annotator.beta_) < best
        assert likelihood(annotator.alpha_, annotator.beta_ + change) < best


def test_votes_never_count_against_their_tag():
    # Tag 0 has one image, which nobody votes for while it is left out; its neighbours, which lack
    # the tag, get its votes. Tag 1 is the ordinary one.
    X = np.linspace(0, 1, 30)[:, None]
    Y = np.stack([np.arange(30) == 15, np.arange(30) < 15], axis=1).astype(int)
    annotator = TagPropAnnotator(k=5).fit(X, Y)
    assert annotator.alpha_[0] == 0 and annotator.alpha_[1] > 0
    # Without votes, a tag's odds are those of its weighted labels: 1 of 16 positive ones against
    # 29 of 44 negative ones.
    assert annotator.beta_[0] == pytest.approx(math.log((1 / 16) / (29 / 44)))


@pytest.mark.parametrize(("weights", "sigmoid"), KINDS)
def test_tags_whose_labels_are_all_equal_come_first_or_last(weights, sigmoid):
    X, Y = tagged_images()
    never, always, unknown = 0 * Y[:, :1], 0 * Y[:, :1] + 1, 0 * Y[:, :1] - 1
    labels = np.hstack([never, Y, always, unknown])
    annotator = TagPropAnnotator(k=30, weights=weights, sigmoid=sigmoid).fit(X, labels)
    scores = annotator.decision_function(X)
    assert np.isfinite(scores).all()
    rest = scores[:, 1:-2]
    assert (scores[:, [0]] <= rest).all() and (scores[:, [-1]] <= rest).all()
    assert (scores[:, [-2]] >= rest).all()


@pytest.mark.parametrize("sigmoid", [True, False])
def test_the_informative_distance_gets_the_weight(sigmoid):
    X, Y = tagged_images()
    annotator = TagPropAnnotator(k=50, sigmoid=sigmoid, blocks=[5, 5]).fit(X, Y)
    noise, informative = annotator.theta_
    assert informative > 1 and noise < 0.1 * informative
