"""Tags of the nearest training image, then of the next nearest: Joint Equal Contribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warptag.baselines.annotator import Annotator
from warptag.baselines.base_distances import BaseDistances, nearest
from warptag.baselines.validation import check_count


class JECAnnotator(Annotator):
    """Greedy transfer of the tags of the nearest images, with equal weight of all visual features.

    Neighbours are ranked by the mean of the base distances, each scaled to 0 to 1 (see
    `BaseDistances`). The tags of an image are ranked in three groups:

    1. the tags of the nearest neighbour, by their number of training images;
    2. the other tags of neighbours 2 to k, by the product of their co-occurrence (the sum, over
       the tags of the first group, of the number of training images with both tags) and their
       local frequency (the number of neighbours 2 to k with the tag);
    3. all other tags, by their number of training images.

    The paper transfers the first n tags of this order. It names the two factors of group 2 without
    saying how they are combined; the product is the usual reading. Group 3 is ours and completes
    the ranking, so that one ranking serves every n. Ties in group 2 go to the higher local
    frequency, then to the larger number of training images; other ties go to the lower tag index.
    An unknown label (-1) counts as an absent tag. If there are fewer than `k` training images, all
    are neighbours.

    The score is 1 for the first tag of the ranking and 1 / num_tags for the last.

    Source: Makadia, Pavlovic and Kumar, "A New Baseline for Image Annotation", ECCV 2008.

    Args:
        k: number of neighbours, at least 1; 5 in the paper.
        blocks: widths of the visual features in X, in order; None for one feature.

    Attributes:
        frequency_: float array (num_tags,), the number of training images with each tag.
        cooccurrence_: float array (num_tags, num_tags), the number with both tags.

    Example:
        >>> annotator = JECAnnotator(k=2).fit([[0.0], [1.0], [9.0]], np.eye(3))
        >>> annotator.decision_function([[0.9]]).argsort()[:, ::-1]
        array([[1, 0, 2]])
    """

    def __init__(self, k: int = 5, blocks: Sequence[int] | None = None):
        self.k = k
        self.blocks = blocks

    def _check_parameters(self) -> None:
        check_count("k", self.k)

    def _fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.distances_ = BaseDistances(X, self.blocks)
        self._num_rows = self.distances_.num_queries
        self.positive_ = (Y == 1).astype(np.float32)
        self.frequency_ = self.positive_.sum(axis=0, dtype=np.float64)
        self.cooccurrence_ = (self.positive_.T @ self.positive_).astype(np.float64)

    def _score(self, X: np.ndarray) -> np.ndarray:
        num_train, num_tags = self.positive_.shape
        distances = self.distances_(X).mean(axis=0)
        ranking = self._transfer(nearest(distances, min(self.k, num_train)))
        scores = np.empty((len(X), num_tags), np.float32)
        by_rank = 1 - np.arange(num_tags, dtype=np.float32) / num_tags
        np.put_along_axis(scores, ranking, by_rank[None], axis=1)
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
