"""A kernel made linear: an explicit kernel map, then PCA."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import AdditiveChi2Sampler, RBFSampler
from sklearn.utils.validation import check_is_fitted, validate_data

from warptag.baselines.validation import check_features

KERNELS = ("hellinger", "chi2", "gaussian", "linear")
_NUM_FOURIER_FEATURES = 2000


class KernelEmbedding(TransformerMixin, BaseEstimator):
    """One feature as a short vector, whose dot products approximate a kernel of the feature.

    - `"hellinger"`: rows are divided by their sum, and the square root is taken; exact.
    - `"chi2"`: the additive chi-squared kernel of such rows, three columns for each
      (Vedaldi and Zisserman, 2010).
    - `"gaussian"`: 2,000 random Fourier features (Rahimi and Recht, 2007) of a Gaussian kernel
      whose squared width is the mean squared distance of two training rows.
    - `"linear"`: rows as they are.

    PCA on such a map is kernel PCA. The result is divided by one number, which makes the mean
    squared length of a training row 1, so that every feature counts alike in a distance. Source:
    Gong et al. 2013, section 5.1, which names neither kernel nor scale.

    Args:
        kernel: one of the four.
        num_components: columns of the result; fewer when there are fewer training images minus
            one, or fewer columns to begin with.
        seed: seed of PCA and of the random features.

    Attributes:
        num_components_: int, columns of the result.
        scale_: float, what the result was divided by.

    Example:
        >>> counts = np.random.default_rng(0).integers(0, 9, (20, 50))
        >>> KernelEmbedding(num_components=4).fit_transform(counts).shape
        (20, 4)
    """

    def __init__(self, kernel: str = "hellinger", num_components: int = 500, seed: int = 0):
        self.kernel = kernel
        self.num_components = num_components
        self.seed = seed

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X, y=None) -> KernelEmbedding:
        """Learn from the rows of training images.

        Args:
            X: float array (num_images, width), at least two rows; not negative for
                "hellinger" and "chi2".
            y: ignored.

        Raises:
            ValueError: not such an array, NaN, or an unknown kernel.
        """
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, got {self.kernel!r}")
        validate_data(self, X, skip_check_array=True)
        X = check_features(X)
        if len(X) < 2:
            raise ValueError(f"an embedding needs at least 2 training images, got {len(X)} sample")
        variance = float(X.var(axis=0, dtype=np.float64).sum()) if self.kernel == "gaussian" else 0
        self.sampler_ = None
        if self.kernel == "gaussian":
            # The mean squared distance of two rows is twice the variance; gamma is 1 / (2 width^2).
            gamma = 1 / (4 * variance) if variance > 0 else 1.0
            self.sampler_ = RBFSampler(
                gamma=gamma, n_components=_NUM_FOURIER_FEATURES, random_state=self.seed
            ).fit(X)
        mapped = self._map(X)
        num_components = min(self.num_components, len(mapped) - 1, mapped.shape[1])
        # A feature that is the same for all images has no variance to explain: 0 / 0.
        with np.errstate(invalid="ignore"):
            self.pca_ = PCA(num_components, random_state=self.seed).fit(mapped)
        self.num_components_ = num_components
        variance = float(self.pca_.explained_variance_.sum())
        self.scale_ = np.float32(np.sqrt(variance)) if variance > 1e-12 else np.float32(1)
        return self

    def transform(self, X) -> np.ndarray:
        """Embed rows.

        Args:
            X: float array (num_images, width).

        Returns:
            float32 array (num_images, num_components), finite.

        Raises:
            ValueError: another width than in `fit`, NaN, or a negative number for "hellinger" or
                "chi2".
        """
        check_is_fitted(self)
        features = check_features(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        return self.pca_.transform(self._map(features)) / self.scale_

    def _map(self, X: np.ndarray) -> np.ndarray:
        if self.kernel == "linear":
            return X
        if self.sampler_ is not None:
            return self.sampler_.transform(X)
        if (X < 0).any():
            raise ValueError(f"the {self.kernel} kernel is for histograms, got negative numbers")
        total = X.sum(axis=1, keepdims=True)
        # A row of zeros, as of an image without corners, stays zeros.
        shares = X / np.where(total > 0, total, 1)
        if self.kernel == "hellinger":
            return np.sqrt(shares)
        return AdditiveChi2Sampler().fit_transform(shares)
