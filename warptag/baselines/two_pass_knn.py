"""Tags by the nearest training images of every tag: two-pass k nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warptag.baselines.annotator import Annotator
from warptag.baselines.base_distances import BaseDistances, nearest
from warptag.baselines.validation import check_count, check_positive


class TwoPassKNNAnnotator(Annotator):
    """Weighted vote over a neighbourhood in which every tag is represented (2PKNN).

    The first pass takes, for every tag, the `k` nearest training images that have it. Their union
    is the neighbourhood T of image J, in which frequent tags do not crowd out rare ones. The second
    pass scores tag w by `sum over I in T with w of exp(-scale D(J, I))`, the paper's P(J | w). Two
    things differ from the paper:

    - No metric is learnt: D is the mean of the base distances, each scaled to 0 to 1 (see
      `BaseDistances`), and `scale` replaces the length of the paper's learnt weights. 60 was
      chosen by cross-validation on the training photographs of Corel5K, with `VisualFeatures`: in
      the F1 of mean per-class recall and precision, 40 is as good with less recall, and 80 and
      100 are worse.
    - The sum is divided by that over all of T, so that scores are shares of the neighbourhood's
      weight, between 0 and 1. A factor common to all tags of an image changes no ranking.

    A tag without a training image scores 0. An unknown label (-1) counts as an absent tag.

    Source: Verma and Jawahar, "Image Annotation Using Metric Learning in Semantic
    Neighbourhoods", ECCV 2012.

    Args:
        k: number of neighbours per tag, at least 1; of a tag with fewer images, all.
        scale: how fast votes decay with distance, above 0.
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

    def _check_parameters(self) -> None:
        check_count("k", self.k)
        check_positive("scale", self.scale)

    def _fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.distances_ = BaseDistances(X, self.blocks)
        self._num_rows = self.distances_.num_queries
        self.positive_ = (Y == 1).astype(np.float32)

    def _score(self, X: np.ndarray) -> np.ndarray:
        if not self.positive_.any():
            return np.zeros((len(X), self.num_tags_), np.float32)
        distances = self.distances_(X).mean(axis=0)
        distances[~self._neighborhood(distances)] = np.inf
        # Relative to the nearest, so that an image far from all others has votes above 0, too.
        distances -= distances.min(axis=1, keepdims=True)
        weights = np.exp(-self.scale * distances)
        return weights @ self.positive_ / weights.sum(axis=1, keepdims=True)

    def _neighborhood(self, distances: np.ndarray) -> np.ndarray:
        """Whether each training image is among the k nearest of a tag; bool, as `distances`."""
        neighborhood = np.zeros(distances.shape, bool)
        for column in self.positive_.T:
            images = np.flatnonzero(column)
            if len(images):
                neighbors = nearest(distances[:, images], min(self.k, len(images)))
                np.put_along_axis(neighborhood, images[neighbors], True, axis=1)
        return neighborhood
