"""Kernel maps and PCA: dot products against the kernels they stand for, scale, bad input."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import additive_chi2_kernel

from warptag.baselines import BlockEmbedding, KernelEmbedding

KERNELS = ["hellinger", "chi2", "gaussian", "linear"]


def histograms(width=12):
    return np.random.default_rng(0).integers(0, 9, (60, width)).astype(np.float32)


def squared_distances(rows):
    return np.square(rows[:, np.newaxis] - rows).sum(axis=2)


def embedded_distances(kernel, X):
    """Squared distances after the embedding, in the kernel's own unit."""
    embedding = KernelEmbedding(kernel, 500)
    return squared_distances(embedding.fit_transform(X)) * float(embedding.scale_) ** 2


@pytest.mark.parametrize("kernel", KERNELS)
def test_training_rows_are_centred_of_mean_squared_length_1_and_reproducible(kernel):
    rows = KernelEmbedding(kernel, num_components=8).fit_transform(histograms())
    assert rows.shape == (60, 8) and rows.dtype == np.float32
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
    assert np.square(rows).sum(axis=1).mean() == pytest.approx(1, rel=0.03)
    np.testing.assert_array_equal(KernelEmbedding(kernel, 8).fit_transform(histograms()), rows)
    assert np.isfinite(KernelEmbedding(kernel).fit_transform(np.zeros((5, 6)))).all()


def test_blocks_are_embedded_one_by_one_and_bad_rows_refused():
    X = np.random.default_rng(0).random((30, 9)).astype(np.float32)
    columns = {"CH": slice(0, 4), "BoW": slice(4, 9)}
    embedding = BlockEmbedding(columns, {"CH": "linear", "BoW": "hellinger"}, num_components=3)
    rows = embedding.fit_transform(X)
    assert rows.shape == (30, 6) and embedding.blocks_ == [3, 3]
    np.testing.assert_array_equal(rows[:, :3], embedding.embeddings_["CH"].transform(X[:, :4]))
    for kernel, bad in [("hellinger", -X), ("chi2", -X), ("rbf", X), ("linear", X[:1])]:
        with pytest.raises(ValueError):
            KernelEmbedding(kernel).fit(bad)
    with pytest.raises(ValueError, match="no kernel for the feature 'BoW'"):
        BlockEmbedding(columns, {"CH": "linear"}).fit(X)
    with pytest.raises(ValueError, match="18 features"):
        embedding.transform(np.concatenate([X, X], axis=1))
    X[4, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        embedding.transform(X)


def test_distances_are_those_of_the_kernel():
    X = histograms()
    shares = X / X.sum(axis=1, keepdims=True)
    expected = squared_distances(X)
    np.testing.assert_allclose(embedded_distances("linear", X), expected, rtol=1e-3, atol=1e-2)
    expected = squared_distances(np.sqrt(shares))
    np.testing.assert_allclose(embedded_distances("hellinger", X), expected, atol=1e-5)
    # The map's kernel 2xy/(x+y) gives distances of x + y - 4xy/(x+y) = (x - y)^2 / (x + y). Two
    # steps of the sampling keep four fifths of distances between histograms with empty bins.
    expected, found = -additive_chi2_kernel(shares), embedded_distances("chi2", X)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98
    assert 0.7 < found.mean() / expected.mean() < 1
    X = histograms(width=4) / 3
    distances = squared_distances(X)
    # The squared width is the mean over all pairs, each image with itself included.
    expected = 2 - 2 * np.exp(-distances / (2 * distances.mean()))
    error = np.abs(embedded_distances("gaussian", X) - expected)
    assert error.max() < 0.2 and error.mean() < 0.05
