"""Distances between images, one per visual feature, on a common scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warptag.baselines.neighbors import block_slices

# Bounds on the distances (256 MB as float32) and on the queries that are computed at once.
_NUM_DISTANCES = 2**26
_NUM_QUERIES = 1024
# Training images that the bounds are measured on, each against all others.
_NUM_BOUND_IMAGES = 1000


class BaseDistances:
    """Euclidean distances to the training images, within each block of features.

    A block of neighbouring columns is one visual feature, and the distance within it is that
    feature's base distance. So that features of any unit contribute equally, each base distance d
    is scaled to `(d - lower) / (upper - lower)`, where lower and upper are the smallest and the
    largest distance between different training images, measured from at most 1,000 evenly spaced
    ones to all others. Scaled distances of those images are between 0 and 1; distances of new
    images may lie slightly outside. If all distances are equal, or there is only one training
    image, the divisor is 1.

    Distances come from float32 matrix products of features centred on the training mean: the
    distance of identical images is 0 only up to rounding, about a thousandth of a usual distance.

    Args:
        X: float32 array (num_train, num_features), not copied: do not change it.
        blocks: widths of the blocks, which add up to num_features; None for one block.

    Attributes:
        num_blocks: int, the number of base distances.
        num_queries: int, how many images may be queried at once: 1,024, or fewer if their
            distances would take more than 256 MB.
        lower, upper: float32 arrays (num_blocks,), the bounds.

    Raises:
        ValueError: `blocks` are not positive integers that add up to num_features.

    Example:
        >>> distances = BaseDistances(np.float32([[0, 0], [3, 10], [1, 30]]), blocks=[1, 1])
        >>> distances(np.float32([[0, 0]]))[:, 0].round(3)
        array([[-0.5,  1. ,  0. ],
               [-0.5,  0. ,  1. ]], dtype=float32)
    """

    def __init__(self, X: np.ndarray, blocks: Sequence[int] | None = None):
        num_train, num_features = X.shape
        self.X = X
        self.columns = _block_columns(blocks, num_features)
        self.num_blocks = len(self.columns)
        num_queries = _NUM_DISTANCES // (self.num_blocks * num_train)
        self.num_queries = max(1, min(num_queries, _NUM_QUERIES))
        # Summed in float64, so that the mean of equal rows is that row.
        self.mean = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.squared_lengths = np.empty((self.num_blocks, num_train), np.float32)
        for rows in block_slices(num_train, max(1, _NUM_DISTANCES // num_features)):
            self.squared_lengths[:, rows] = self._squared_lengths(X[rows] - self.mean)
        self.lower = np.zeros(self.num_blocks, np.float32)
        self.upper = np.ones(self.num_blocks, np.float32)
        self.lower, self.upper = self._bounds()

    def __call__(self, queries: np.ndarray) -> np.ndarray:
        """The scaled distances, float32 (num_blocks, num_queries, num_train), of some images.

        There may be at most `num_queries` of them, float32 (num_images, num_features).
        """
        centred = queries - self.mean
        distances = np.empty((self.num_blocks, len(queries), len(self.X)), np.float32)
        lengths = self._squared_lengths(centred)
        for block, columns in enumerate(self.columns):
            # |q - x|^2 = |q|^2 + |x|^2 - 2 q x. The training images are not stored centred, which
            # saves a copy: q (x - mean) = q x - q mean.
            query, distance = centred[:, columns], distances[block]
            np.matmul(-2 * query, self.X[:, columns].T, out=distance)
            distance += self.squared_lengths[block]
            # BLAS may raise the flag for memory that it reads next to a vector.
            with np.errstate(invalid="ignore"):
                distance += (lengths[block] + 2 * query @ self.mean[columns])[:, None]
            np.maximum(distance, 0, out=distance)
            np.sqrt(distance, out=distance)
            distance -= self.lower[block]
            distance /= self.upper[block] - self.lower[block]
        return distances

    def _squared_lengths(self, centred: np.ndarray) -> np.ndarray:
        parts = (centred[:, columns] for columns in self.columns)
        return np.stack([np.einsum("ij,ij->i", part, part) for part in parts], dtype=np.float32)

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        num_train = len(self.X)
        if num_train == 1:
            return self.lower, self.upper
        images = np.unique(np.linspace(0, num_train - 1, _NUM_BOUND_IMAGES).astype(int))
        lower, upper = np.full(self.num_blocks, np.inf), np.zeros(self.num_blocks)
        for rows in block_slices(len(images), self.num_queries):
            distances = self(self.X[images[rows]])
            upper = np.maximum(upper, distances.max(axis=(1, 2)))
            exclude_self(distances, images[rows])
            lower = np.minimum(lower, distances.min(axis=(1, 2)))
        upper = np.where(upper > lower, upper, lower + 1)
        return lower.astype(np.float32), upper.astype(np.float32)


def exclude_self(distances: np.ndarray, images: np.ndarray) -> None:
    """Sets the distances of training images to themselves to infinity, in place."""
    distances[:, np.arange(len(images)), images] = np.inf


def nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """The indices (num_images, k) of the k smallest distances of each row, nearest first."""
    # Sorted, so that the stable sort below keeps equal distances in the order of training.
    neighbors = np.sort(np.argpartition(distances, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(distances, neighbors, axis=1), axis=1, kind="stable")
    return np.take_along_axis(neighbors, order, axis=1)


def nearest_by_each(distances: np.ndarray, k: int) -> np.ndarray:
    """k training images that include the nearest ones by each base distance.

    They are taken from the rankings of the base distances in turn, each image once: the nearest
    by the first distance, by the second, ..., then the second nearest of each, until there are k.
    `distances` is (num_blocks, num_images, num_train); returns indices (num_images, k).
    """
    rankings = np.stack([nearest(distance, k) for distance in distances], axis=-1)
    in_turn = rankings.reshape(len(rankings), -1)
    order = np.argsort(in_turn, axis=1, kind="stable")
    ordered = np.take_along_axis(in_turn, order, axis=1)
    new = np.ones(in_turn.shape, bool)
    np.put_along_axis(new, order[:, 1:], ordered[:, 1:] != ordered[:, :-1], axis=1)
    return in_turn[new & (np.cumsum(new, axis=1) <= k)].reshape(-1, k)


def _block_columns(blocks: Sequence[int] | None, num_features: int) -> list[slice]:
    widths = [num_features] if blocks is None else list(blocks)
    if not all(isinstance(width, (int, np.integer)) and width >= 1 for width in widths):
        raise ValueError(f"blocks must be integers of at least 1, got {blocks!r}")
    if sum(widths) != num_features:
        raise ValueError(
            f"blocks must add up to the {num_features} features of X, "
            f"got {widths}, which add up to {sum(widths)}"
        )
    ends = np.cumsum(widths).tolist()
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
