"""The interface that all annotators share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from warptag.baselines.neighbors import block_slices
from warptag.baselines.validation import check_labels

if TYPE_CHECKING:
    from typing_extensions import Self


class Annotator(BaseEstimator, ABC):
    """Base class of the estimators that score tags.

    An annotator is not one of scikit-learn's classifiers: it predicts no labels, because the
    number of tags per image is chosen with the metric.

    A subclass implements `_fit` and `_score`; inputs are checked here.
    """

    #: Images that are scored at a time, which bounds the memory needed.
    _num_rows: int

    def fit(self, X, Y) -> Self:
        """Fit the annotator to training images.

        Args:
            X: float array (num_train, num_features). A C-contiguous float32 array is not copied,
                and most annotators keep it: do not change it afterwards.
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Returns:
            The annotator itself.

        Raises:
            TypeError: `X` is a sparse matrix.
            ValueError: the shapes do not match, `X` has NaN or infinity, `Y` has another value
                than 1, 0 and -1, or a parameter is out of range.
        """
        self._check_parameters()
        if Y is None:
            raise ValueError("fit requires y to be passed, but the target y is None; give Y")
        features, labels = as_float32(self, X), check_labels(Y, "Y")
        check_consistent_length(features, labels)
        self.num_tags_ = labels.shape[1]
        self._fit(features, labels)
        return self

    def decision_function(self, X) -> np.ndarray:
        """Score every tag of new images.

        Args:
            X: float array (num_images, num_features).

        Returns:
            float32 array (num_images, num_tags), finite; higher is better.

        Raises:
            ValueError: the number of features is not that of `fit`, or `X` has NaN or infinity.
        """
        check_is_fitted(self)
        features = as_float32(self, X, reset=False, ensure_min_samples=0)
        scores = np.empty((len(features), self.num_tags_), np.float32)
        for rows in block_slices(len(features), self._num_rows):
            scores[rows] = self._score(features[rows])
        return scores

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raises ValueError if an argument of the constructor is out of range."""

    @abstractmethod
    def _fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        """Fit to float32 features and int8 labels."""

    @abstractmethod
    def _score(self, X: np.ndarray) -> np.ndarray:
        """The scores (num_images, num_tags) of at most `_num_rows` images."""

    def __sklearn_tags__(self):
        # `fit` requires labels, one column per tag.
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


def as_float32(estimator: BaseEstimator, X, **options) -> np.ndarray:
    """Features as a finite, C-contiguous float32 array; scikit-learn's check, without a warning."""
    with np.errstate(over="ignore"):  # a value beyond float32 becomes infinity, which is refused
        return validate_data(estimator, X, dtype=np.float32, order="C", **options)
