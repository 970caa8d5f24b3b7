"""Linear support vector machines for all tags at once, on features that are not copied."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from tqdm import tqdm

from warptag.baselines.neighbors import block_slices

NUM_ROWS = 4096
_MAX_ITERATIONS = 200


def fit_linear_svms(
    X: np.ndarray, Y: np.ndarray, C: float, mean: np.ndarray, scale: float, tolerance: float = 3e-5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train one machine per tag by preconditioned conjugate gradients.

    Each machine minimizes `|w|^2 / 2 + b^2 / 2 + C sum_i max(0, 1 - y_i (w.x_i + b))^2`, the
    objective of scikit-learn's LinearSVC, with x the centred features divided by `scale` and y 1
    or -1. Images of unknown label are left out.

    An iteration is two passes of float32 matrix products over X for all tags together: the scores
    along the search direction, and the gradient. The scores of a tag are linear along its
    direction, so the exact line search needs no pass. The preconditioner is the Hessian as if the
    images inside the margin were a random share of all images: one product X'X and its
    eigenvectors serve every tag. A tag is finished when the remaining step, estimated by the
    preconditioner, would change the scores of the images inside its margin (which is 1) by less
    than `tolerance` (root mean square).

    scikit-learn trains one tag at a time: LinearSVC on copies of X in float64, SGDClassifier only
    to a rough optimum. Beside X, this needs three float32 arrays (num_tags, num_train) and about
    four float64 arrays (num_features, num_features). Source of the conjugate gradients: Polak and
    Ribiere 1969, with a restart if beta is negative.

    Args:
        X: float32 array (num_train, num_features).
        Y: int8 labels (num_train, num_tags): 1, 0, or -1 for unknown.
        C: weight of the errors against the margin, above 0.
        mean, scale: what is subtracted from the features, and the divisor.
        tolerance: tolerance of the training scores; float32 products resolve about 1e-5.

    Returns:
        Coefficients (num_tags, num_features), intercepts, numbers of iterations, and whether each
        tag converged within 200 iterations, each (num_tags,).
    """
    num_train, num_tags = Y.shape
    images = _CentredImages(X, mean, scale)
    signs = np.ascontiguousarray(((Y == 1).astype(np.int8) - (Y == 0)).T)  # 0 for unknown
    preconditioner = _Preconditioner(images, C)

    weights = np.zeros((num_tags, X.shape[1] + 1))  # the intercept last
    scores = np.zeros((num_tags, num_train), np.float32)
    num_iterations = np.zeros(num_tags, int)
    tags = np.arange(num_tags)  # not converged yet; one row each in the arrays below
    gradient = direction = np.zeros_like(weights)
    decrement = np.ones(num_tags)
    # disable=None: no bar unless standard error is a terminal.
    with tqdm(desc="SVM", total=num_tags, unit="tag", disable=None) as bar:
        for _ in range(_MAX_ITERATIONS):
            residuals = np.empty((len(tags), num_train), np.float32)
            for row, tag in enumerate(tags):
                residuals[row] = signs[tag] * np.maximum(1 - signs[tag] * scores[tag], 0)
            num_inside = np.count_nonzero(residuals, axis=1)
            previous_gradient, previous_decrement = gradient, decrement
            gradient = weights[tags] - 2 * C * images.weighted_sums(residuals)
            step = preconditioner.solve(gradient, num_inside / num_train)
            decrement = np.einsum("td,td->t", gradient, step)
            beta = np.einsum("td,td->t", step, gradient - previous_gradient) / previous_decrement
            direction = np.maximum(beta, 0)[:, np.newaxis] * direction - step
            uphill = np.einsum("td,td->t", direction, gradient) >= 0
            direction[uphill] = -step[uphill]

            # The decrement is 2 C times the sum of squared changes of the scores inside the margin.
            active = decrement > 2 * C * num_inside * tolerance**2
            bar.update(int((~active).sum()))
            tags, gradient, decrement = tags[active], gradient[active], decrement[active]
            direction = direction[active]
            if not len(tags):
                break
            num_iterations[tags] += 1
            slopes = images.scores(direction)
            for row, tag in enumerate(tags):
                length = _line_search(
                    1 - signs[tag] * scores[tag].astype(np.float64),
                    -signs[tag] * slopes[row].astype(np.float64),
                    weights[tag],
                    direction[row],
                    C,
                )
                weights[tag] += length * direction[row]
                scores[tag] += np.float32(length) * slopes[row]
    converged = np.ones(num_tags, bool)
    converged[tags] = False
    return weights[:, :-1], weights[:, -1], num_iterations, converged


class _CentredImages:
    """Products with the rows `[(x - mean) / scale, 1]`, which are never stored."""

    def __init__(self, X: np.ndarray, mean: np.ndarray, scale: float):
        self.X, self.mean, self.scale = X, mean, scale
        self.blocks = block_slices(len(X), NUM_ROWS)

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Weights (num_tags, num_features + 1) -> float32 (num_tags, num_train)."""
        coefficients = weights[:, :-1] / self.scale
        offsets = (weights[:, -1] - coefficients @ self.mean)[:, np.newaxis].astype(np.float32)
        coefficients = coefficients.astype(np.float32)
        scores = np.empty((len(weights), len(self.X)), np.float32)
        for rows in self.blocks:
            np.add(coefficients @ self.X[rows].T, offsets, out=scores[:, rows])
        return scores

    def weighted_sums(self, amounts: np.ndarray) -> np.ndarray:
        """Amounts (num_tags, num_train) -> float64 (num_tags, num_features + 1)."""
        sums = np.zeros((len(amounts), self.X.shape[1] + 1))
        for rows in self.blocks:
            sums[:, :-1] += amounts[:, rows] @ self.X[rows]
        sums[:, -1] = amounts.sum(axis=1, dtype=np.float64)
        sums[:, :-1] -= np.outer(sums[:, -1], self.mean)
        sums[:, :-1] /= self.scale
        return sums

    def gram(self) -> np.ndarray:
        """float64 (num_features, num_features), the sum of the rows' outer products."""
        gram = np.zeros((self.X.shape[1],) * 2)
        for rows in self.blocks:
            centred = (self.X[rows] - self.mean.astype(np.float32)) / np.float32(self.scale)
            gram += centred.T @ centred
        return gram


class _Preconditioner:
    """Hessians as if the images inside a tag's margin were a random share of all images."""

    def __init__(self, images: _CentredImages, C: float):
        # Centred features have no products with the intercept, which is its own eigenvector.
        eigenvalues, self.vectors = eigh(images.gram(), overwrite_a=True, check_finite=False)
        self.curvatures = 2 * C * np.append(np.maximum(eigenvalues, 0), len(images.X))

    def solve(self, gradient: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Gradient (num_tags, num_features + 1) -> the step to the minimum, of that shape."""
        step = np.append(gradient[:, :-1] @ self.vectors, gradient[:, -1:], axis=1)
        step /= 1 + shares[:, np.newaxis] * self.curvatures
        step[:, :-1] = step[:, :-1] @ self.vectors.T
        return step


def _line_search(
    shortfall: np.ndarray, rate: np.ndarray, weights: np.ndarray, direction: np.ndarray, C: float
) -> float:
    """The minimum of |w + t d|^2 / 2 + C sum max(0, shortfall + t rate)^2 over t > 0.

    Newton's method, kept in a bracket, on the derivative, which is increasing and piecewise linear.
    """
    at_zero, square = weights @ direction, direction @ direction
    length, low, high, first = 0.0, 0.0, np.inf, None
    for _ in range(50):
        inside = shortfall + length * rate
        np.maximum(inside, 0, out=inside)
        derivative = at_zero + length * square + 2 * C * np.einsum("i,i->", inside, rate)
        if first is None:
            first = derivative
        if first >= 0 or abs(derivative) <= 1e-6 * abs(first):
            break
        if derivative < 0:
            low = length
        else:
            high = length
        moving = rate[inside > 0]
        length -= derivative / (square + 2 * C * np.einsum("i,i->", moving, moving))
        if not low < length < high:
            length = (low + high) / 2
    return length
