"""Tags by one linear support vector machine a tag."""

from __future__ import annotations

import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from warptag.baselines.validation import check_features, check_training_set

# Constant and finite, below whatever a trained machine can answer.
_LOWEST_SCORE = np.finfo(np.float32).min


class SVMAnnotator(BaseEstimator):
    """One-against-all linear machines, tags ranked by decision value.

    Features are centred and divided by one number, which makes the mean squared length of a
    training row 1: `C` then means the same whatever the features, and directions that vary little
    are not blown up, as scaling each feature would do.

    Images whose label is -1 (unknown) are left out of that tag's training. A tag without a
    positive or without a negative training image has nothing to separate; its score is the
    lowest finite float32, below every trained tag. Source: Gong et al. 2013, section 5.1.

    Args:
        C: weight of the errors against the margin, above 0.
        seed: seed of the solver's coordinate order.

    Attributes:
        trained_: bool array (num_tags,), False for tags with that constant score.
        converged_: bool array (num_tags,), False where the solver ran out of iterations (`fit`
            then gives one `ConvergenceWarning`); True for untrained tags.

    Example:
        >>> annotator = SVMAnnotator().fit([[0.0], [1.0]], [[1, 0], [0, 1]])
        >>> bool(np.diff(annotator.decision_function([[0.9]]))[0, 0] > 0)
        True
    """

    def __init__(self, C: float = 2.0, seed: int = 0):
        self.C = C
        self.seed = seed

    def fit(self, X, Y) -> SVMAnnotator:
        """Train one machine a tag, on all cores.

        Args:
            X: float array (num_train, num_features).
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Raises:
            ValueError: shapes that do not fit, NaN, wrong labels, or `C` not above 0.
        """
        if not (np.isfinite(self.C) and self.C > 0):
            raise ValueError(f"C must be a finite number above 0, got {self.C!r}")
        X, Y = check_training_set(X, Y)
        self.n_features_in_ = X.shape[1]
        self.mean_ = X.mean(axis=0)
        length = float(np.sqrt(np.mean(np.sum(np.square(X - self.mean_), axis=1))))
        self.scale_ = length if length > 0 else 1.0
        scaled = self._scale(X).astype(np.float64)  # what the solver works in

        self.trained_ = (Y == 1).any(axis=0) & (Y == 0).any(axis=0)
        tags = np.flatnonzero(self.trained_)
        with warnings.catch_warnings():
            # Gathered from all threads into `converged_`, and said once below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fits = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
                delayed(self._fit_tag)(scaled, Y[:, tag]) for tag in tags
            )
            # disable=None: no bar where standard error is not a terminal.
            machines = list(tqdm(fits, "SVM", len(tags), unit="tag", disable=None))
        num_tags = Y.shape[1]
        self.coef_ = np.zeros((num_tags, self.n_features_in_), np.float32)
        self.intercept_ = np.full(num_tags, _LOWEST_SCORE, np.float32)
        self.converged_ = np.ones(num_tags, bool)
        for tag, machine in zip(tags, machines, strict=True):
            self.coef_[tag] = machine.coef_[0]
            self.intercept_[tag] = machine.intercept_[0]
            self.converged_[tag] = machine.n_iter_ < machine.max_iter
        if not self.converged_.all():
            warnings.warn(
                f"the solver stopped early for {(~self.converged_).sum()} of {num_tags} tags; "
                "see converged_, or choose a smaller C",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def decision_function(self, X) -> np.ndarray:
        """Score every tag by its distance from the boundary.

        Args:
            X: float array (num_images, num_features).

        Returns:
            float32 array (num_images, num_tags), finite.

        Raises:
            ValueError: another number of features than in `fit`, or NaN.
        """
        check_is_fitted(self)
        X = check_features(X, self.n_features_in_)
        return self._scale(X) @ self.coef_.T + self.intercept_

    def _scale(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) / np.float32(self.scale_)

    def _fit_tag(self, X: np.ndarray, labels: np.ndarray) -> LinearSVC:
        known = labels != -1
        if not known.all():
            X, labels = X[known], labels[known]
        # The dual is solved in less than half the time of the primal on these features.
        return LinearSVC(C=self.C, dual=True, random_state=self.seed).fit(X, labels)
