"""Key points, colour SIFT, HOG, words and histograms by hand; GIST against LEAR's values."""

import cv2
import numpy as np
import pytest

from warptag.baselines.features.descriptors import (
    Patches,
    colour_invariants,
    describe_patches,
    hog_2x2,
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


def test_hog_blocks_stand_where_the_gradients_are():
    grey = np.zeros((64, 64), np.uint8)
    grey[:24, 40:] = noise(24)[..., 0]
    descriptors, positions = hog_2x2(grey)
    busy = positions[descriptors.any(axis=1)]
    assert (busy[:, 0] >= 0.5).all() and (busy[:, 1] <= 0.5).all() and len(busy) > 4


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


@pytest.mark.parametrize("factors", [(3, 3), (1, 3), (5, 1)])
def test_larger_images_are_averaged_to_the_square(factors):
    rows, columns = factors
    image = patterned_image(640)[: 128 * rows, : 128 * columns]
    square = image.reshape(128, rows, 128, columns, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    np.testing.assert_array_equal(gist(image), gist(square))


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
