"""Tags by a weighted vote of the nearest training images."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from warptag.baselines.annotator import Annotator
from warptag.baselines.neighbors import NUM_QUERIES, NearestImages, block_slices
from warptag.baselines.validation import check_features, check_training_set

# Training images that the distance scale is measured on: all pairs of a large set take too long.
_NUM_SCALE_IMAGES = 1000


class KNNAnnotator(Annotator):
    """Weighted vote of the k nearest training images, found exactly.

    The paper's score is `1/k sum_i exp(-d_i^2 / sigma) y_i` over the neighbours i. Two things it
    leaves open are settled here:

    - Scale of d: squared distances are divided by `scale_`, the mean squared distance of a
      training image to its k-th neighbour (measured on at most 1,000 evenly spaced images), so
      that a `sigma` means the same whatever the features. The paper's sigma of 1 belongs to its
      own unit; in this one 0.035 did best (of 1, 0.3, 0.1, 0.05, 0.035 and 0.02, with
      `VisualFeatures`) in the mean of per-class and overall recall on Corel5K's 460 validation
      images.
    - Underflow: the weights of an image are divided by that of its nearest neighbour, which then
      weighs 1. A factor common to all tags of an image changes no top k, and keeps an image far
      from every training image from scoring 0 throughout.

    An unknown label (-1) votes like an absent tag. With fewer training images than `k`, all of
    them vote; of training images equally far away, the earlier ones. What exact means is said in
    `warptag.baselines.neighbors.NearestImages`. Source: Gong et al. 2013, section 5.1.

    Args:
        k: number of neighbours, at least 1.
        sigma: width of the weighting in units of `scale_`, above 0; large values count votes,
            small ones follow the nearest neighbour.
        search: `"blocked"`, matrix products of NumPy, or `"faiss"`, its exhaustive search, which
            needs `pip install "warptag[faiss]"`. Both give the same neighbours.

    Attributes:
        scale_: float, the unit of squared distance.

    Example:
        >>> annotator = KNNAnnotator(k=1).fit([[0.0], [1.0]], [[1, 0], [0, 1]])
        >>> annotator.decision_function([[0.1]])
        array([[1., 0.]], dtype=float32)
    """

    def __init__(self, k: int = 50, sigma: float = 0.035, search: str = "blocked"):
        self.k = k
        self.sigma = sigma
        self.search = search

    def fit(self, X, Y) -> KNNAnnotator:
        """Keep the training images.

        Args:
            X: float array (num_train, num_features). A float32 array in rows is kept without a
                copy: do not change it afterwards.
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Raises:
            TypeError: a sparse matrix.
            ValueError: shapes that do not fit, NaN, wrong labels, or a parameter out of range.
            ImportError: `search="faiss"` without faiss.
        """
        if not isinstance(self.k, (int, np.integer)) or self.k < 1:
            raise ValueError(f"k must be an integer of at least 1, got {self.k!r}")
        if not (np.isfinite(self.sigma) and self.sigma > 0):
            raise ValueError(f"sigma must be a finite number above 0, got {self.sigma!r}")
        features, labels = check_training_set(X, Y)
        validate_data(self, X, skip_check_array=True)  # sets n_features_in_, feature_names_in_
        self.positive_ = (labels == 1).astype(np.float32)
        self.nearest_ = NearestImages(features, self.search)

        num_train = len(features)
        rows = np.unique(np.linspace(0, num_train - 1, _NUM_SCALE_IMAGES).astype(int))
        # One neighbour more, because an image of the training set is its own nearest.
        _, squared = self.nearest_.find(features[rows], min(self.k + 1, num_train))
        self.scale_ = float(squared[:, -1].mean()) or 1.0
        return self

    def decision_function(self, X) -> np.ndarray:
        """Score every tag.

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
        num_train, num_tags = self.positive_.shape
        k = min(self.k, num_train)
        scores = np.empty((len(features), num_tags), np.float32)
        for rows in block_slices(len(features), NUM_QUERIES):
            neighbors, squared = self.nearest_.find(features[rows], k)
            squared /= self.scale_
            weights = np.exp((squared[:, :1] - squared) / self.sigma).astype(np.float32)
            # One image at a time: the neighbours' labels of a block would be a large array.
            for i, row in enumerate(range(rows.start, rows.stop)):
                scores[row] = weights[i] @ self.positive_[neighbors[i]] / k
        return scores
