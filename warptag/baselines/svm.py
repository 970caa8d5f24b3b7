"""Tags by one linear support vector machine a tag."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

from warptag.baselines.annotator import Annotator
from warptag.baselines.linear_svm import fit_linear_svms
from warptag.baselines.neighbors import block_slices
from warptag.baselines.validation import check_features, check_training_set

# Constant and finite, below whatever a trained machine can answer.
_LOWEST_SCORE = np.finfo(np.float32).min
_SOLVERS = ("auto", "liblinear", "conjugate_gradients")
# At 24 bytes a value, liblinear's copies take about half a gigabyte.
_MAX_LIBLINEAR_VALUES = 20_000_000
_NUM_ROWS = 4096


class SVMAnnotator(Annotator):
    """One-against-all linear machines, tags ranked by decision value.

    Features are centred and divided by one number, which makes the mean squared length of a
    training row 1: `C` then means the same whatever the features, and directions that vary little
    are not blown up, as scaling each feature would do.

    Each machine has the squared hinge loss and a regularized intercept, as scikit-learn's
    `LinearSVC` has them: `|w|^2 / 2 + b^2 / 2 + C sum_i max(0, 1 - y_i (w.x_i + b))^2`. Two
    solvers find the same minimum:

    - `"liblinear"`: the paper's, one tag after the other. It copies the features to float64.
    - `"conjugate_gradients"`: all tags at once on float32 features that are not copied, see
      `warptag.baselines.linear_svm`. Its scores are within about 1e-3 of liblinear's.

    Images whose label is -1 (unknown) are left out of that tag's training. A tag without a
    positive or without a negative training image has nothing to separate; its score is the
    lowest finite float32, below every trained tag. Sources: Gong et al. 2013, section 5.1; Fan
    et al. 2008, LIBLINEAR: a library for large linear classification.

    Args:
        C: weight of the errors against the margin, above 0.
        solver: `"liblinear"`, `"conjugate_gradients"`, or `"auto"`: liblinear for training
            features of up to 20 million values (images times features).
        seed: seed of liblinear's coordinate order; conjugate gradients draw nothing.

    Attributes:
        coef_, intercept_: float32 arrays (num_tags, num_features) and (num_tags,), for features
            less `mean_` and divided by `scale_`.
        n_iter_: int array (num_tags,), the solver's iterations; 0 for untrained tags.
        trained_: bool array (num_tags,), False for tags with that constant score.
        converged_: bool array (num_tags,), False where the solver ran out of iterations (`fit`
            then gives one `ConvergenceWarning`); True for untrained tags.

    Example:
        >>> annotator = SVMAnnotator().fit([[0.0], [1.0]], [[1, 0], [0, 1]])
        >>> bool(np.diff(annotator.decision_function([[0.9]]))[0, 0] > 0)
        True
    """

    def __init__(self, C: float = 2.0, solver: str = "auto", seed: int = 0):
        self.C = C
        self.solver = solver
        self.seed = seed

    def fit(self, X, Y) -> SVMAnnotator:
        """Train one machine a tag.

        Args:
            X: float array (num_train, num_features).
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Raises:
            TypeError: a sparse matrix.
            ValueError: shapes that do not fit, NaN, wrong labels, `C` not above 0, or an unknown
                solver.
        """
        if not (np.isfinite(self.C) and self.C > 0):
            raise ValueError(f"C must be a finite number above 0, got {self.C!r}")
        if self.solver not in _SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(_SOLVERS)}, got {self.solver!r}")
        features, labels = check_training_set(X, Y)
        validate_data(self, X, skip_check_array=True)  # sets n_features_in_, feature_names_in_
        self.mean_, self.scale_ = _mean_and_length(features)
        solver = self.solver
        if solver == "auto":
            small = features.size <= _MAX_LIBLINEAR_VALUES
            solver = "liblinear" if small else "conjugate_gradients"

        self.trained_ = (labels == 1).any(axis=0) & (labels == 0).any(axis=0)
        num_tags = labels.shape[1]
        self.coef_ = np.zeros((num_tags, self.n_features_in_), np.float32)
        self.intercept_ = np.full(num_tags, _LOWEST_SCORE, np.float32)
        self.n_iter_ = np.zeros(num_tags, int)
        self.converged_ = np.ones(num_tags, bool)
        if self.trained_.any():
            fit = self._fit_liblinear if solver == "liblinear" else self._fit_conjugate_gradients
            fitted = fit(features, labels[:, self.trained_])
            attributes = (self.coef_, self.intercept_, self.n_iter_, self.converged_)
            for attribute, values in zip(attributes, fitted, strict=True):
                attribute[self.trained_] = values
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
        features = check_features(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        scores = np.empty((len(features), len(self.coef_)), np.float32)
        for rows in block_slices(len(features), _NUM_ROWS):
            # In float64, so that a score does not depend on the image's place in a block.
            scores[rows] = self._scale(features[rows]) @ self.coef_.T + self.intercept_
        return scores

    def _scale(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) / self.scale_

    def _fit_conjugate_gradients(self, X: np.ndarray, Y: np.ndarray):
        return fit_linear_svms(X, Y, self.C, self.mean_, self.scale_)

    def _fit_liblinear(self, X: np.ndarray, Y: np.ndarray):
        scaled = self._scale(X)  # float64, which the solver works in
        with warnings.catch_warnings():
            # Gathered into `converged_`, and said once in `fit`.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # One after the other: liblinear's threads would share one random generator, and no
            # two fits be the same. disable=None: no bar where standard error is not a terminal.
            columns = tqdm(Y.T, "SVM", unit="tag", disable=None)
            machines = [self._fit_tag(scaled, labels) for labels in columns]
        return (
            np.concatenate([machine.coef_ for machine in machines]),
            np.concatenate([machine.intercept_ for machine in machines]),
            np.array([machine.n_iter_ for machine in machines]),
            np.array([machine.n_iter_ < machine.max_iter for machine in machines]),
        )

    def _fit_tag(self, X: np.ndarray, labels: np.ndarray) -> LinearSVC:
        known = labels != -1
        if not known.all():
            X, labels = X[known], labels[known]
        # The dual is solved in less than half the time of the primal on these features.
        return LinearSVC(C=self.C, dual=True, random_state=self.seed).fit(X, labels)


def _mean_and_length(X: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean row, and the root of the mean squared distance from it (1 where that is 0)."""
    blocks = block_slices(len(X), _NUM_ROWS)
    mean = sum(X[rows].sum(axis=0, dtype=np.float64) for rows in blocks) / len(X)
    squared = sum(np.square(X[rows] - mean).sum() for rows in blocks) / len(X)
    return mean, float(np.sqrt(squared)) or 1.0
