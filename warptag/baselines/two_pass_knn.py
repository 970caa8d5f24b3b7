"""Tags by the nearest training images of every tag: two-pass k nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from warptag.baselines.annotator import Annotator
from warptag.baselines.base_distances import BaseDistances, nearest
from warptag.baselines.validation import check_features, check_training_set


class TwoPassKNNAnnotator(Annotator):
    """Weighted vote over a neighbourhood in which every tag is represented (2PKNN).

    The first pass takes, for every tag, the `k` nearest training images that have it; their union
    is the neighbourhood T of image J, in which rare tags are not drowned by frequent ones. The
    second pass scores tag w by `sum over I in T with w of exp(-scale D(J, I))`, the paper's
    P(J | w). Two things differ from the paper:

    - No metric is learnt: D is the mean of the base distances, each scaled to 0 to 1 (see
      `BaseDistances`), and `scale` stands for the length of the paper's learnt weights. 60 was
      chosen by cross-validation on Corel5K's training photographs, with `VisualFeatures`: in the
      F1 of mean per-class recall and precision 40 does as well, at less recall, and 80 and 100
      do worse.
    - The sum is divided by that over all of T, which makes scores shares of the neighbourhood's
      weight from 0 to 1. A factor common to all tags of an image changes no ranking.

    A tag without a training image scores 0. An unknown label (-1) votes like an absent tag.

    Source: Verma and Jawahar, "Image Annotation Using Metric Learning in Semantic
    Neighbourhoods", ECCV 2012.

    Args:
        k: number of neighbours a tag, at least 1; all images of a tag that has fewer.
        scale: how fast votes fade with distance, above 0 (0 would count the neighbourhood).
        blocks: widths of the visual features in X, in order; None for one feature.

    Example:
        >>> annotator = TwoPassKNNAnnotator(k=1).fit([[0.0], [1.0], [9.0]], np.eye(3))
        >>> annotator.decision_function([[0.5]]).round(2)
        array([[0.5, 0.5, 0. ]], dtype=float32)
    """

    def __init__(self, k: int = 5, scale: float = 60.0, blocks: Sequence[int] | None = None):
        self.k = k
        self.scale = scale
        self.blocks = blocks

    def fit(self, X, Y) -> TwoPassKNNAnnotator:
        """Keep the training images.

        Args:
            X: float array (num_train, num_features).
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Raises:
            ValueError: shapes that do not fit, NaN, wrong labels, `k` or `scale` out of range, or
                `blocks` that do not add up to num_features.
        """
        if not isinstance(self.k, (int, np.integer)) or self.k < 1:
            raise ValueError(f"k must be an integer of at least 1, got {self.k!r}")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale must be a finite number above 0, got {self.scale!r}")
        features, labels = check_training_set(X, Y)
        validate_data(self, X, skip_check_array=True)  # sets n_features_in_, feature_names_in_
        self.distances_ = BaseDistances(features, self.blocks)
        self.positive_ = (labels == 1).astype(np.float32)
        return self

    def decision_function(self, X) -> np.ndarray:
        """Score every tag by its share of the weight of the image's neighbourhood.

        Args:
            X: float array (num_images, num_features).

        Returns:
            float32 array (num_images, num_tags), each from 0 to 1.

        Raises:
            ValueError: another number of features than in `fit`, or NaN.
        """
        check_is_fitted(self)
        features = check_features(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        images_of_tags = [np.flatnonzero(column) for column in self.positive_.T]
        scores = np.zeros((len(features), self.positive_.shape[1]), np.float32)
        if not self.positive_.any():
            return scores
        for rows in self.distances_.query_slices(len(features)):
            distances = self.distances_(features[rows]).mean(axis=0)
            neighborhood = self._neighborhood(distances, images_of_tags)
            distances[~neighborhood] = np.inf
            # From the nearest on, so that an image far from all has votes above 0, too.
            distances -= distances.min(axis=1, keepdims=True)
            weights = np.exp(-self.scale * distances)
            scores[rows] = weights @ self.positive_ / weights.sum(axis=1, keepdims=True)
        return scores

    def _neighborhood(
        self, distances: np.ndarray, images_of_tags: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Which training images are among the k nearest of a tag, bool, of distances' shape."""
        neighborhood = np.zeros(distances.shape, bool)
        for images in images_of_tags:
            if len(images):
                neighbors = nearest(distances[:, images], min(self.k, len(images)))
                np.put_along_axis(neighborhood, images[neighbors], True, axis=1)
        return neighborhood
