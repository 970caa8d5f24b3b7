"""The nearest training images of many images, found by matrix products."""

from __future__ import annotations

import numpy as np

# Images whose products with a block of training images are computed at once (32 MiB of float32).
NUM_QUERIES = 1024
_NUM_TRAIN = 8192
# Candidates beyond k, which make up for the rounding of float32 products.
_NUM_SPARE = 12


def block_slices(num_rows: int, size: int) -> list[slice]:
    """Slices of at most `size` rows that cover `num_rows` rows in order."""
    return [slice(start, min(start + size, num_rows)) for start in range(0, num_rows, size)]


class NearestImages:
    """Exact k nearest neighbours by Euclidean distance, by comparing every pair of images.

    Float32 products select the best k + 12 candidates. Their squared distances are then computed
    from differences in float64, where nothing cancels, and the k smallest are returned, the lower
    index first among equals. The returned distances are therefore accurate to about 1e-15; a true
    neighbour is missed only if float32 rounding ranks 12 images before it that are farther away or
    equally far.

    Before the products, the features are centred on the training mean and divided by their mean
    squared distance from it, so that neither an offset nor the unit of the features costs digits.

    scikit-learn's brute-force search copies blocks of the training images to float64, or returns
    distances that have lost digits to cancellation in float32.

    Args:
        X: float32 array (num_train, num_features), not copied: do not change it.

    Example:
        >>> X = np.array([[0], [3], [1]], np.float32)
        >>> NearestImages(X).find(np.array([[1.5]], np.float32), k=2)
        (array([[2, 0]]), array([[0.25, 2.25]]))
    """

    def __init__(self, X: np.ndarray):
        self.X = X
        blocks = block_slices(len(X), _NUM_TRAIN)
        self.mean = sum(X[rows].sum(axis=0, dtype=np.float64) for rows in blocks) / len(X)
        squared_lengths = np.concatenate(
            [np.square(X[rows] - self.mean).sum(axis=1) for rows in blocks]
        )
        self.unit = float(squared_lengths.mean()) or 1.0
        self.half_squared_lengths = (0.5 / self.unit * squared_lengths).astype(np.float32)

    def find(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest training images of each query, nearest first.

        Args:
            queries: float32 array (num_queries, num_features).
            k: number of neighbours, from 1 to num_train.

        Returns:
            Indices, int64 (num_queries, k), and squared distances, float64 (num_queries, k).
        """
        indices = np.empty((len(queries), k), np.int64)
        squared = np.empty((len(queries), k))
        num_candidates = min(k + _NUM_SPARE, len(self.X))
        for rows in block_slices(len(queries), NUM_QUERIES):
            candidates = self._candidates(queries[rows], num_candidates)
            distances = self._squared_distances(queries[rows], candidates)
            order = np.lexsort((candidates, distances))[:, :k]
            indices[rows] = np.take_along_axis(candidates, order, axis=1)
            squared[rows] = np.take_along_axis(distances, order, axis=1)
        return indices, squared

    def _candidates(self, queries: np.ndarray, count: int) -> np.ndarray:
        # The part of |q - x|^2 / 2 that depends on x: |x|^2 / 2 - q.x, with q and x centred.
        # Centring q is enough: the mean of x adds the same number for every training image.
        centred = ((queries - self.mean) / self.unit).astype(np.float32)
        best = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(queries)
        for rows in block_slices(len(self.X), _NUM_TRAIN):
            values = centred @ self.X[rows].T
            np.subtract(self.half_squared_lengths[rows], values, out=values)
            best = [
                _smallest(*old, new, rows.start, count)
                for old, new in zip(best, values, strict=True)
            ]
        return np.stack([index for _, index in best])

    def _squared_distances(self, queries: np.ndarray, indices: np.ndarray) -> np.ndarray:
        squared = np.empty(indices.shape)
        for i, (query, neighbors) in enumerate(zip(queries, indices, strict=True)):
            difference = self.X[neighbors].astype(np.float64)
            difference -= query
            squared[i] = np.einsum("ij,ij->i", difference, difference)
        return squared


def _smallest(
    values: np.ndarray, indices: np.ndarray, new_values: np.ndarray, start: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` smallest of old and new values, ascending; the earlier first among equals."""
    if len(values) == count:
        # Only values below the largest kept one: an equal value has the higher index.
        new = np.flatnonzero(new_values < values[-1])
        if not len(new):
            return values, indices
    else:
        limit = min(count, len(new_values)) - 1
        new = np.flatnonzero(new_values <= np.partition(new_values, limit)[limit])
    values = np.concatenate([values, new_values[new]])
    indices = np.concatenate([indices, new + start])
    order = np.argsort(values, kind="stable")[:count]
    return values[order], indices[order]
