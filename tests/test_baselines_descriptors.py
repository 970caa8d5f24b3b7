"""Key points, colour SIFT, HOG, words and histograms by hand; GIST against LEAR's values."""

import cv2
import numpy as np
import pytest
from sklearn.metrics.pairwise import additive_chi2_kernel

from warptag.baselines import BlockEmbedding, KernelEmbedding
from warptag.baselines.features.descriptors import (
    Patches,
    colour_invariants,
    describe_patches,
)
from warptag.baselines.features.gist import gist
from warptag.baselines.features.histograms import colour_histogram, count_words, spatial_pyramid
from warptag.baselines.features.keypoints import dense_points, harris_points


def noise(side=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def test_corners_of_a_white_rectangle_are_the_four_corner_points():
    grey = np.zeros((64, 64), np.uint8)
    grey[20:44, 12:50] = 255
    (found,) = harris_points([grey])
    corners = np.array([[12, 20], [49, 20], [12, 43], [49, 43]])
    distance = np.abs(found[:, np.newaxis] - corners).max(axis=2)
    assert (distance.min(axis=1) <= 2).all() and (distance.min(axis=0) <= 2).all()
    assert [len(points) for points in harris_points([np.full((64, 64), 77, np.uint8)])] == [0]


def test_colour_invariants_follow_their_definition():
    image = noise().clip(60)
    red, green, blue = np.moveaxis(image.astype(float), 2, 0)
    o1, o2 = (red - green) / 2**0.5, (red + green - 2 * blue) / 6**0.5
    o3 = (red + green + blue + 3 * 8) / 3**0.5  # with the documented offset of 8 a channel
    for plane, ratio, low, high in zip(
        colour_invariants(image),
        (o1 / o3, o2 / o3),
        (-(1.5**0.5), -(2**0.5)),
        (1.5**0.5, 0.5**0.5),
        strict=True,
    ):
        np.testing.assert_allclose(plane, 255 * (ratio - low) / (high - low), atol=0.51)


def test_colour_histogram_by_hand():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = [255, 0, 31]  # bins 7, 0, 0
    image[0, 1] = [0, 32, 255]  # bins 0, 1, 7
    histogram = colour_histogram(image)
    assert histogram.shape == (512,)
    assert histogram[7 * 64] == 1 and histogram[1 * 8 + 7] == 1 and histogram[0] == 2


def test_words_are_counted_in_their_quarter_and_the_whole():
    codebook = np.array([[0, 0], [1, 1]], np.float32)
    descriptors = np.array([[0.1, 0], [0.9, 1], [2, 2], [0, 0.2]], np.float32)
    positions = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.5]])
    quarters = count_words(Patches(descriptors, positions), codebook)
    np.testing.assert_array_equal(quarters, [1, 0, 0, 1, 0, 1, 1, 0])
    np.testing.assert_array_equal(
        spatial_pyramid(quarters[np.newaxis]), [[2, 2, 1, 0, 0, 1, 0, 1, 1, 0]]
    )


# Every 41st of the 960 values, and the sum of all, for `patterned_image(64)`, as computed by
# LEAR's C library: lear_gist 1.2 in facebookresearch/isc2021 at commit c6f5528 (folder
# lear_gist-1.2), compiled with GCC -O3 and FFTW 3.3.10 in single precision, called as
# color_gist_scaletab(image, 4, 3, {8, 8, 4}). That build also gives the values which
# tuttieee/lear-gist-python recorded for its test image, within 1e-4, their last decimal.
LEAR_VALUES = """
    0.094562 0.0503758 0.0623168 0.0248351 0.0205457 0.019477 0.0236645 0.023954
    0.112766 0.0281788 0.042862 0.0209137 0.0391358 0.0363251 0.020419 0.0781203
    0.121572 0.0513557 0.0535376 0.0234293 0.0301871 0.0401122 0.0252738 0.0167773
"""
LEAR_SUM = 43.7469


def patterned_image(size):
    """Smooth colours, a disc and a pseudo-random texture, from integer arithmetic alone."""
    y, x = np.mgrid[:size, :size]
    texture = np.stack([(7 * x * x + 11 * y * y + 5 * x * y) % m for m in (31, 47, 61)], axis=2)
    disc = 90 * ((x - size // 3) ** 2 + (y - size // 2) ** 2 < (size // 4) ** 2)
    smooth = np.stack([150 * x // size, 150 * y // size, 75 * (x + y) // size], axis=2)
    return (smooth + texture // 2 + disc[..., np.newaxis] // [1, 2, 3]).astype(np.uint8)


def test_values_are_those_of_lear_gist():
    vector = gist(patterned_image(64), size=64)
    assert vector.shape == (960,) and vector.dtype == np.float32
    expected = np.array(LEAR_VALUES.split(), np.float32)
    np.testing.assert_allclose(vector[::41], expected, rtol=1e-4)
    np.testing.assert_allclose(vector.sum(dtype=np.float64), LEAR_SUM, rtol=1e-4)


def test_colour_sift_is_the_sift_of_each_plane():
    image = noise()
    points = dense_points(64)
    keypoints = [cv2.KeyPoint(float(x), float(y), 16 / 6, 0.0) for x, y in points]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    for name, planes in {
        "dense SIFT": [grey],
        "dense RGBSIFT": np.moveaxis(image, 2, 0),
        "dense CSIFT": [*colour_invariants(image), grey],
    }.items():
        expected = [
            cv2.SIFT.create().compute(np.ascontiguousarray(plane), keypoints)[1] for plane in planes
        ]
        found = describe_patches(image)[name].descriptors[: len(points)]
        np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))


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
