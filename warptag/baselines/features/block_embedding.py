"""Features that were computed elsewhere, each with its own embedding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from warptag.baselines.features.embedding import KernelEmbedding
from warptag.baselines.neighbors import block_slices

#: Kernel of each of NUS-WIDE's six low-level features. Only the visual words are counts; the others
#: may be negative in the release, whose normalization is not documented.
NUSWIDE_KERNELS = {
    "CH": "gaussian",
    "CORR": "gaussian",
    "EDH": "gaussian",
    "WT": "gaussian",
    "CM55": "gaussian",
    "BoW": "hellinger",
}
# Bounds on the memory needed.
_MAX_FIT_IMAGES = 20_000
_NUM_ROWS = 4096


class BlockEmbedding(TransformerMixin, BaseEstimator):
    """A `KernelEmbedding` for each block of columns of an array, side by side.

    It embeds NUS-WIDE's low-level features, as `VisualFeatures` does for photographs. The
    embeddings are learnt from at most 20,000 training images, chosen at random; rows are read 4,096
    at a time, so that X may be a memory-mapped file.

    Args:
        columns: name of each feature -> its columns, as returned by `load_features`.
        kernels: name of each feature -> its kernel, see `KernelEmbedding`.
        num_components: maximum number of columns of each embedded feature.
        seed: seed of the choice of images, of PCA and of the random Fourier features.

    Attributes:
        blocks_: list of int, the widths of the embedded features, in the order of `columns`.
        embeddings_: name of each feature -> its `KernelEmbedding`.

    Example:
        >>> X = np.random.default_rng(0).random((20, 9), np.float32)
        >>> columns = {"CH": slice(0, 4), "BoW": slice(4, 9)}
        >>> kernels = {"CH": "gaussian", "BoW": "hellinger"}
        >>> BlockEmbedding(columns, kernels, num_components=3).fit_transform(X).shape
        (20, 6)
    """

    def __init__(
        self,
        columns: Mapping[str, slice],
        kernels: Mapping[str, str],
        num_components: int = 500,
        seed: int = 0,
    ):
        self.columns = columns
        self.kernels = kernels
        self.num_components = num_components
        self.seed = seed

    def fit(self, X: np.ndarray, y=None) -> BlockEmbedding:
        """Learn the embeddings.

        Args:
            X: float array (num_images, num_features), at least two rows.
            y: ignored.

        Raises:
            ValueError: `X` is not such an array, has NaN, or negative numbers for the Hellinger
                kernel, or a feature has no kernel.
        """
        for name in self.columns:
            if name not in self.kernels:
                raise ValueError(f"no kernel for the feature {name!r}; name one in kernels")
        validate_data(self, X, skip_check_array=True)  # sets n_features_in_
        random = np.random.default_rng(self.seed)
        num_chosen = min(len(X), _MAX_FIT_IMAGES)
        rows = np.sort(random.choice(len(X), num_chosen, replace=False))
        chosen = X[rows]
        self.embeddings_ = {
            name: KernelEmbedding(self.kernels[name], self.num_components, self.seed).fit(
                chosen[:, columns]
            )
            for name, columns in self.columns.items()
        }
        self.blocks_ = [each.num_components_ for each in self.embeddings_.values()]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Embed rows.

        Args:
            X: float array (num_images, num_features).

        Returns:
            float32 array (num_images, sum of `blocks_`), finite.

        Raises:
            ValueError: as for `fit`.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        embedded = np.empty((len(X), sum(self.blocks_)), np.float32)
        for rows in block_slices(len(X), _NUM_ROWS):
            part = X[rows]
            embedded[rows] = np.hstack(
                [e.transform(part[:, self.columns[name]]) for name, e in self.embeddings_.items()]
            )
        return embedded
