"""Tags by learnt weights of the nearest training images: TagProp."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit, log_expit, logit, softmax
from sklearn.linear_model import LogisticRegression

from warptag.baselines.annotator import Annotator
from warptag.baselines.base_distances import BaseDistances, exclude_self, nearest, nearest_by_each
from warptag.baselines.neighbors import block_slices
from warptag.baselines.validation import check_choice, check_count

# The paper's epsilon: a neighbour's vote for a tag it has is 1 - epsilon, for others epsilon.
_EPSILON = 1e-5
# Rounds of sigmoids and weights end when the log likelihood gains less.
_MIN_GAIN = 1e-4
# L-BFGS-B's relative tolerance: a round need not be exact, since the sigmoids change after it.
_TOLERANCE = 1e-5
# Inverse strength of the L2 penalty on a sigmoid's slope, for labels whose weights add up to 1: so
# weak that it only keeps the slope finite if the votes separate a tag's images.
_SLOPE_C = 1e8
_MAX_LOG_ODDS = float(np.finfo(np.float32).max)


class TagPropAnnotator(Annotator):
    """Votes of the k nearest images, weighted so that training images predict each other's tags.

    The vote for tag w of image i is `x_iw = sum_j pi_ij y_jw` over its neighbours j, where y is 1
    for images with the tag and 0 for others. The weights pi of an image are positive and add up to
    1:

    - `weights="distance"`: `pi_ij = exp(-theta d_ij) / sum_j' exp(-theta d_ij')`, where theta >= 0
      weighs the base distances d_ij, each scaled to 0 to 1 (see `BaseDistances`). Neighbours are
      taken from the rankings of the base distances in turn (see `nearest_by_each`), so that they
      include the nearest images by whichever distance gets the most weight.
    - `weights="rank"`: pi_ij depends only on the rank of j; neighbours are ranked by the mean of
      the scaled base distances. The weights are a softmax.

    The probability that image i has tag w is `epsilon + (1 - 2 epsilon) x_iw`, epsilon = 1e-5, or
    with `sigmoid=True` `1 / (1 + exp(-(alpha_w x_iw + beta_w)))`. The sigmoids raise rare tags,
    which few neighbours have even if the tag is right.

    The parameters maximize the log likelihood of the training labels, where each image is left out
    of its own neighbours. Every positive label weighs 1 / number of positive labels, every negative
    label likewise; unknown labels (-1) weigh nothing and count as absent tags in votes. First the
    weights are learnt without sigmoids, by L-BFGS-B from equal ones; then alpha and beta (one
    convex problem per tag) and the weights in turn. Two limits keep the sigmoids usable:

    - alpha >= 0, so that votes never count against their tag. A tag with a single training image
      would otherwise learn a negative slope, since the image is left out where it would be right.
    - A tag all of whose known labels are equal gets the largest finite log odds of that sign.

    Scores are log odds: `scipy.special.expit` of a score is the probability.

    Source: Guillaumin, Mensink, Verbeek and Schmid, "TagProp: Discriminative Metric Learning in
    Nearest Neighbor Models for Image Auto-Annotation", ICCV 2009.

    Args:
        k: number of neighbours, at least 1; 200 in the paper. If there are fewer other training
            images, all of them.
        weights: "distance" or "rank".
        sigmoid: whether each tag has a sigmoid.
        blocks: widths of the visual features in X, in order; None for one feature.

    Attributes:
        theta_: float array (num_blocks,), for "distance".
        rank_weights_: float array (k,), the weight of each rank, nearest first, for "rank".
        alpha_, beta_: float arrays (num_tags,), the slopes and offsets of the sigmoids.
        log_likelihoods_: float array, the weighted log likelihood after each round of sigmoids and
            weights; one value without sigmoids.

    Example:
        >>> X, Y = [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], [[1, 0]] * 3 + [[0, 1]] * 3
        >>> TagPropAnnotator(k=4).fit(X, Y).decision_function([[0.3], [8.0]]).argmax(axis=1)
        array([0, 1])
    """

    def __init__(
        self,
        k: int = 200,
        weights: str = "distance",
        sigmoid: bool = True,
        blocks: Sequence[int] | None = None,
    ):
        self.k = k
        self.weights = weights
        self.sigmoid = sigmoid
        self.blocks = blocks

    def _check_parameters(self) -> None:
        check_count("k", self.k)
        check_choice("weights", self.weights, ("distance", "rank"))

    def _fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.distances_ = BaseDistances(X, self.blocks)
        self._num_rows = self.distances_.num_queries
        self.positive_ = csr_array((Y == 1).astype(np.float64))
        # A single training image has no other and is its own neighbour.
        self.num_neighbors_ = min(self.k, max(len(X) - 1, 1))
        neighborhoods = [
            self._neighborhood(X[rows], np.arange(len(X))[rows])
            for rows in block_slices(len(X), self._num_rows)
        ]
        self._learn(neighborhoods, Y)

    def _score(self, X: np.ndarray) -> np.ndarray:
        neighborhood = self._neighborhood(X)
        votes = neighborhood.votes(neighborhood.weights(self._parameters))
        if self.sigmoid:
            return self.alpha_ * votes + self.beta_
        return logit(_EPSILON + (1 - 2 * _EPSILON) * votes)

    def _neighborhood(self, queries: np.ndarray, images: np.ndarray | None = None) -> Neighborhood:
        """The neighbours of queries; `images` are their indices if they are training images."""
        distances = self.distances_(queries)
        if images is not None and distances.shape[2] > 1:
            exclude_self(distances, images)
        if self.weights == "rank":
            neighbors = nearest(distances.mean(axis=0), self.num_neighbors_)
            return Neighborhood(neighbors, None, self.positive_)
        neighbors = nearest_by_each(distances, self.num_neighbors_)
        chosen = np.take_along_axis(distances, neighbors[None], axis=2)
        return Neighborhood(neighbors, np.moveaxis(chosen, 0, 2), self.positive_)

    def _learn(self, neighborhoods: Sequence[Neighborhood], Y: np.ndarray) -> None:
        by_distance = self.weights == "distance"
        num_parameters = self.distances_.num_blocks if by_distance else self.num_neighbors_
        bounds = [(0, None)] * num_parameters if by_distance else None
        self._parameters = np.zeros(num_parameters)

        def maximize(sigmoids=None) -> float:
            found = minimize(
                negative_log_likelihood,
                self._parameters,
                args=(neighborhoods, Y, sigmoids),
                method="L-BFGS-B",
                jac=True,
                bounds=bounds,
                options={"ftol": _TOLERANCE},
            )
            self._parameters = found.x
            return -found.fun

        # Sigmoids start from the best weights without sigmoids. With equal weights, all slopes may
        # be 0 (if most images are neighbours), and then the weights have no gradient.
        likelihoods = [maximize()]
        if self.sigmoid:
            likelihoods = []
            while len(likelihoods) < 2 or likelihoods[-1] - likelihoods[-2] >= _MIN_GAIN:
                votes = [part.votes(part.weights(self._parameters)) for part in neighborhoods]
                self.alpha_, self.beta_ = _fit_sigmoids(np.concatenate(votes), Y)
                likelihoods.append(maximize((self.alpha_, self.beta_)))
        self.log_likelihoods_ = np.array(likelihoods)
        if by_distance:
            self.theta_ = self._parameters
        else:
            self.rank_weights_ = softmax(self._parameters)


class Neighborhood:
    """The neighbours of some images, and the votes that result from their weights.

    Args:
        neighbors: int array (num_images, k), indices in the training set.
        distances: float32 array (num_images, k, num_blocks), or None to weigh by rank.
        positive: sparse 0/1 array (num_train, num_tags).
    """

    def __init__(self, neighbors: np.ndarray, distances: np.ndarray | None, positive: csr_array):
        self.num_images, self.k = neighbors.shape
        self.distances = distances
        # Row (i, j), column (i, w): 1 if neighbour j of image i has tag w. With this matrix, votes
        # and their gradient are products that cost as much as the neighbours have tags.
        self.num_tags = positive.shape[1]
        tags = positive[neighbors.ravel()]
        image = np.repeat(np.arange(self.num_images), np.diff(tags.indptr[:: self.k]))
        columns = (image * self.num_tags + tags.indices).astype(np.int32)
        self.pairs = csr_array(
            (tags.data, columns, tags.indptr.astype(np.int32)),
            shape=(neighbors.size, self.num_images * self.num_tags),
        )

    def weights(self, parameters: np.ndarray) -> np.ndarray:
        """The weights pi, float array (num_images, k); rows add up to 1."""
        if self.distances is None:
            return np.tile(softmax(parameters), (self.num_images, 1))
        return softmax(-(self.distances @ parameters), axis=1)

    def votes(self, weights: np.ndarray) -> np.ndarray:
        """The votes x, float array (num_images, num_tags), between 0 and 1."""
        votes = self.pairs.T @ weights.ravel()
        return np.clip(votes, 0, 1).reshape(self.num_images, self.num_tags)

    def gradient(self, weights: np.ndarray, by_vote: np.ndarray) -> np.ndarray:
        """The gradient by the parameters from the gradient by the votes (num_images, num_tags)."""
        by_weight = (self.pairs @ by_vote.ravel()).reshape(weights.shape)
        by_logit = weights * (by_weight - np.sum(weights * by_weight, axis=1, keepdims=True))
        if self.distances is None:
            return by_logit.sum(axis=0)
        return -np.einsum("ij,ijd->d", by_logit, self.distances)


def negative_log_likelihood(
    parameters: np.ndarray,
    neighborhoods: Sequence[Neighborhood],
    Y: np.ndarray,
    sigmoids: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[float, np.ndarray]:
    """The objective to minimize, and its gradient by the parameters."""
    weight_of_label = _label_weights(Y)
    total, gradient, start = 0.0, np.zeros_like(parameters), 0
    for part in neighborhoods:
        labels = Y[start : start + part.num_images]
        start += part.num_images
        label_weight, sign = weight_of_label[labels], np.where(labels == 1, 1.0, -1.0)
        weights = part.weights(parameters)
        votes = part.votes(weights)
        if sigmoids is None:
            sure = _EPSILON + (1 - 2 * _EPSILON) * np.where(labels == 1, votes, 1 - votes)
            total -= np.sum(label_weight * np.log(sure))
            by_vote = -label_weight * sign * (1 - 2 * _EPSILON) / sure
        else:
            alpha, beta = sigmoids
            log_odds = sign * (alpha * votes + beta)
            total -= np.sum(label_weight * log_expit(log_odds))
            by_vote = -label_weight * sign * expit(-log_odds) * alpha
        gradient += part.gradient(weights, by_vote)
    return total, gradient


def _label_weights(Y: np.ndarray) -> np.ndarray:
    """The weights of the labels 0, 1 and -1 in this order, so that Y can index them."""
    num_positive, num_negative = np.sum(Y == 1), np.sum(Y == 0)
    return np.array([1 / max(num_negative, 1), 1 / max(num_positive, 1), 0.0])


def _fit_sigmoids(votes: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope and the offset of each tag's sigmoid, float arrays (num_tags,)."""
    weight_of_label = _label_weights(Y)
    num_tags = Y.shape[1]
    alpha, beta = np.zeros(num_tags), np.empty(num_tags)
    for tag in range(num_tags):
        labels = Y[:, tag]
        known = labels != -1
        weight = weight_of_label[labels[known]]
        positive, negative = weight[labels[known] == 1].sum(), weight[labels[known] == 0].sum()
        if positive == 0 or negative == 0:
            beta[tag] = _MAX_LOG_ODDS if positive > 0 else -_MAX_LOG_ODDS
            continue
        found = LogisticRegression(C=_SLOPE_C, solver="newton-cholesky", tol=1e-6).fit(
            votes[known, tag : tag + 1], labels[known], weight / (positive + negative)
        )
        alpha[tag], beta[tag] = found.coef_[0, 0], found.intercept_[0]
        if alpha[tag] <= 0:
            # The problem is convex, so at the limit alpha is 0 and beta the log odds of the tag.
            alpha[tag], beta[tag] = 0.0, np.log(positive / negative)
    return alpha, beta
