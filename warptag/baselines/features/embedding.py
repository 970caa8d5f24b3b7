"""A kernel made linear: an explicit kernel map, then PCA."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import AdditiveChi2Sampler, RBFSampler
from sklearn.utils.validation import check_is_fitted

from warptag.baselines.annotator import as_float32
from warptag.baselines.validation import check_choice

KERNELS = ("hellinger", "chi2", "gaussian", "linear")
_NUM_FOURIER_FEATURES = 2000


class KernelEmbedding(TransformerMixin, BaseEstimator):
    """A feature as a short vector whose dot products approximate a kernel of the feature.

    - `"hellinger"`: rows are divided by their sum, and the square root is taken; exact.
    - `"chi2"`: the additive chi-squared kernel of such rows, three columns for each
      (Vedaldi and Zisserman, 2010).
    - `"gaussian"`: 2,000 random Fourier features (Rahimi and Recht, 2007) of a Gaussian kernel
      whose squared width is the mean squared distance of two training rows.
    - `"linear"`: rows as they are.

    PCA of the result is kernel PCA. It is divided by one number, so that the mean squared length of
    a training row is 1 and every feature has the same weight in a distance. Source: Gong et al.
    2013, section 5.1, which names neither the kernel nor the scale.

    Args:
        kernel: one of the four kernels.
        num_components: maximum number of columns of the result; there are no more than training
            images minus one, or columns of the kernel's map.
        seed: seed of PCA and of the random features.

    Attributes:
        num_components_: int, the number of columns of the result.
        scale_: float, the divisor.

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
        """Fit the kernel map and PCA to training images.

        Args:
            X: float array (num_images, width), at least two rows; not negative for
                "hellinger" and "chi2".
            y: ignored.

        Raises:
            ValueError: `X` is not such an array or has NaN, or the kernel is unknown.
        """
        check_choice("kernel", self.kernel, KERNELS)
        X = as_float32(self, X, ensure_min_samples=2)
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
        # If a feature is the same for all images, the explained variance is 0 / 0.
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
            ValueError: the width is not that of `fit`, `X` has NaN, or a negative number for
                "hellinger" or "chi2".
        """
        check_is_fitted(self)
        features = as_float32(self, X, reset=False, ensure_min_samples=0)
        return self.pca_.transform(self._map(features)) / self.scale_

    def _map(self, X: np.ndarray) -> np.ndarray:
        if self.kernel == "linear":
            return X
        if self.sampler_ is not None:
            return self.sampler_.transform(X)
        if (X < 0).any():
            raise ValueError(f"the {self.kernel} kernel is for histograms, got negative numbers")
        total = X.sum(axis=1, keepdims=True)
        # A row of zeros, such as of an image without corners, stays zeros.
        shares = X / np.where(total > 0, total, 1)
        if self.kernel == "hellinger":
            return np.sqrt(shares)
        return AdditiveChi2Sampler().fit_transform(shares)
