"""Tags by one linear support vector machine per tag."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from warptag.baselines.annotator import Annotator
from warptag.baselines.linear_svm import NUM_ROWS, fit_linear_svms
from warptag.baselines.neighbors import block_slices
from warptag.baselines.validation import check_positive

# Finite, and below every score of a trained machine.
_LOWEST_SCORE = np.finfo(np.float32).min


class SVMAnnotator(Annotator):
    """One-against-all linear machines; tags are ranked by decision value.

    Features are centred and divided by one number, so that the mean squared length of a training
    row is 1. `C` then means the same for all features, and directions of little variance are not
    amplified, as scaling each feature would do.

    Each machine minimizes `|w|^2 / 2 + b^2 / 2 + C sum_i max(0, 1 - y_i (w.x_i + b))^2`, the
    squared hinge loss with a regularized intercept of scikit-learn's `LinearSVC`. All tags are
    trained at once, on float32 features that are not copied (see `warptag.baselines.linear_svm`).

    Images whose label is -1 (unknown) are left out of that tag's training. A tag without a
    positive or without a negative training image has nothing to separate; its score is the lowest
    finite float32, below that of every trained tag.

    Sources: Gong et al. 2013, section 5.1; Fan et al. 2008, LIBLINEAR: a library for large linear
    classification.

    Args:
        C: weight of the errors against the margin, above 0.

    Attributes:
        coef_, intercept_: float32 arrays (num_tags, num_features) and (num_tags,), for features
            less `mean_` and divided by `scale_`.
        n_iter_: int array (num_tags,), the iterations of the solver; 0 for untrained tags.
        trained_: bool array (num_tags,), False for tags with the constant score.
        converged_: bool array (num_tags,), False if the solver ran out of iterations (`fit` then
            emits one `ConvergenceWarning`); True for untrained tags.

    Example:
        >>> annotator = SVMAnnotator().fit([[0.0], [1.0]], [[1, 0], [0, 1]])
        >>> bool(np.diff(annotator.decision_function([[0.9]]))[0, 0] > 0)
        True
    """

    _num_rows = NUM_ROWS

    def __init__(self, C: float = 2.0):
        self.C = C

    def _check_parameters(self) -> None:
        check_positive("C", self.C)

    def _fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.mean_, self.scale_ = _mean_and_length(X)
        self.trained_ = (Y == 1).any(axis=0) & (Y == 0).any(axis=0)
        num_tags = self.num_tags_
        self.coef_ = np.zeros((num_tags, X.shape[1]), np.float32)
        self.intercept_ = np.full(num_tags, _LOWEST_SCORE, np.float32)
        self.n_iter_ = np.zeros(num_tags, int)
        self.converged_ = np.ones(num_tags, bool)
        if self.trained_.any():
            fitted = fit_linear_svms(X, Y[:, self.trained_], self.C, self.mean_, self.scale_)
            attributes = (self.coef_, self.intercept_, self.n_iter_, self.converged_)
            for attribute, values in zip(attributes, fitted, strict=True):
                attribute[self.trained_] = values
        if not self.converged_.all():
            warnings.warn(
                f"the solver stopped early for {(~self.converged_).sum()} of {num_tags} tags; "
                "see converged_, or choose a smaller C",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _score(self, X: np.ndarray) -> np.ndarray:
        # In float64, so that a score does not depend on the image's place in a block.
        return (X - self.mean_) / self.scale_ @ self.coef_.T + self.intercept_


def _mean_and_length(X: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean row, and the root mean squared distance from it (1 if that is 0)."""
    blocks = block_slices(len(X), NUM_ROWS)
    mean = sum(X[rows].sum(axis=0, dtype=np.float64) for rows in blocks) / len(X)
    squared = sum(np.square(X[rows] - mean).sum() for rows in blocks) / len(X)
    return mean, float(np.sqrt(squared)) or 1.0
