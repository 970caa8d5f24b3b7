"""Tags of the nearest training image, filled up from the next nearest: Joint Equal Contribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from warptag.baselines.annotator import Annotator
from warptag.baselines.base_distances import BaseDistances, nearest
from warptag.baselines.validation import check_features, check_training_set


class JECAnnotator(Annotator):
    """Greedy transfer of the tags of the nearest images; all visual features count equally.

    Neighbours are those of the least mean of the base distances, each scaled to 0 to 1 (see
    `BaseDistances`). The tags of an image are ranked in three groups:

    1. the tags of the nearest neighbour, by their number of training images;
    2. the other tags of neighbours 2 to k, by the product of their co-occurrence (the sum, over
       the tags of the first group, of the number of training images with both) and their local
       frequency (the number of the neighbours 2 to k with the tag);
    3. all other tags, by their number of training images.

    The paper transfers the first n of this order and names the two factors of group 2 only; the
    product is the usual reading. Group 3, which it does not have, completes the ranking, so that
    one ranking serves every n. Ties in group 2 go to local frequency, then to the number of
    training images; further ties to the lower tag index. An unknown label (-1) counts as an
    absent tag. With fewer training images than `k`, all are neighbours.

    Source: Makadia, Pavlovic and Kumar, "A New Baseline for Image Annotation", ECCV 2008.

    Args:
        k: number of neighbours, at least 1; the paper's 5.
        blocks: widths of the visual features in X, in order; None for one feature.

    Attributes:
        frequency_: float array (num_tags,), the number of training images with each tag.
        cooccurrence_: float array (num_tags, num_tags), that with both tags.

    Example:
        >>> annotator = JECAnnotator(k=2).fit([[0.0], [1.0], [9.0]], np.eye(3))
        >>> annotator.decision_function([[0.9]]).argsort()[:, ::-1]
        array([[1, 0, 2]])
    """

    def __init__(self, k: int = 5, blocks: Sequence[int] | None = None):
        self.k = k
        self.blocks = blocks

    def fit(self, X, Y) -> JECAnnotator:
        """Keep the training images and count their tags.

        Args:
            X: float array (num_train, num_features).
            Y: labels (num_train, num_tags): 1, 0, or -1 for unknown.

        Raises:
            ValueError: shapes that do not fit, NaN, wrong labels, `k` out of range, or `blocks`
                that do not add up to num_features.
        """
        if not isinstance(self.k, (int, np.integer)) or self.k < 1:
            raise ValueError(f"k must be an integer of at least 1, got {self.k!r}")
        features, labels = check_training_set(X, Y)
        validate_data(self, X, skip_check_array=True)  # sets n_features_in_, feature_names_in_
        self.distances_ = BaseDistances(features, self.blocks)
        self.positive_ = (labels == 1).astype(np.float32)
        self.frequency_ = self.positive_.sum(axis=0, dtype=np.float64)
        self.cooccurrence_ = (self.positive_.T @ self.positive_).astype(np.float64)
        return self

    def decision_function(self, X) -> np.ndarray:
        """Score every tag by its place in the ranking.

        Args:
            X: float array (num_images, num_features).

        Returns:
            float32 array (num_images, num_tags): 1 for the first tag, 1 / num_tags for the last.

        Raises:
            ValueError: another number of features than in `fit`, or NaN.
        """
        check_is_fitted(self)
        features = check_features(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        num_train, num_tags = self.positive_.shape
        scores = np.empty((len(features), num_tags), np.float32)
        places = 1 - np.arange(num_tags, dtype=np.float32) / num_tags
        for rows in self.distances_.query_slices(len(features)):
            distances = self.distances_(features[rows]).mean(axis=0)
            ranking = self._transfer(nearest(distances, min(self.k, num_train)))
            np.put_along_axis(scores[rows], ranking, places[None], axis=1)
        return scores

    def _transfer(self, neighbors: np.ndarray) -> np.ndarray:
        """The ranking of all tags, int array (num_images, num_tags), from ordered neighbours."""
        transferred = self.positive_[neighbors[:, 0]]
        local_frequency = self.positive_[neighbors[:, 1:]].sum(axis=1)
        local_frequency[transferred == 1] = 0
        product = local_frequency * (transferred @ self.cooccurrence_)
        # Last key first: group 1, then group 2 (the others' local frequency is 0) by its product.
        keys = (self.frequency_ + 0 * product, local_frequency, product)
        groups = 2 * transferred + (local_frequency > 0)
        return np.lexsort([-key for key in (*keys, groups)], axis=1)
