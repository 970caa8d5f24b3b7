"""GIST: LEAR's own values, what lies where in the descriptor, and odd images."""

import numpy as np
import pytest

from warptag.baselines.features.gist import gist

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


def striped_image(period, axis, size=128):
    """Grey stripes that change along the axis: 1 for upright stripes, 0 for stripes across."""
    wave = 128 + 60 * np.sin(2 * np.pi * np.indices((size, size))[axis] / period)
    return np.repeat(wave[..., np.newaxis], 3, axis=2).astype(np.uint8)


def by_filter(vector):
    return vector.reshape(3, 20, 4, 4).mean(axis=(0, 2, 3))


def test_values_are_those_of_lear_gist():
    vector = gist(patterned_image(64), size=64)
    assert vector.shape == (960,) and vector.dtype == np.float32
    expected = np.array(LEAR_VALUES.split(), np.float32)
    np.testing.assert_allclose(vector[::41], expected, rtol=1e-4)
    np.testing.assert_allclose(vector.sum(dtype=np.float64), LEAR_SUM, rtol=1e-4)


@pytest.mark.parametrize(
    ("period", "axis", "strongest"),
    [(3.3, 1, 0), (3.3, 0, 4), (6.2, 1, 8), (6.2, 0, 12), (11.4, 1, 16), (11.4, 0, 18)],
)
def test_stripes_answer_to_the_filter_of_their_scale_and_orientation(period, axis, strongest):
    assert by_filter(gist(striped_image(period, axis))).argmax() == strongest


def test_blocks_run_down_each_column():
    image = np.full((128, 128, 3), 100, np.uint8)
    image[:32, 96:] = patterned_image(32)  # top right
    blocks = gist(image).reshape(3, 20, 16).sum(axis=(0, 1))
    assert blocks.argmax() == 3 * 4 + 0


def test_channels_are_red_green_blue():
    image = np.full((128, 128, 3), 100, np.uint8)
    image[..., 0] = patterned_image(128)[..., 0]
    red, green, blue = gist(image).reshape(3, -1)
    assert red.min() > 0 and not green.any() and not blue.any()


@pytest.mark.parametrize("factors", [(3, 3), (1, 3), (5, 1)])
def test_larger_images_are_averaged_to_the_square(factors):
    rows, columns = factors
    image = patterned_image(640)[: 128 * rows, : 128 * columns]
    square = image.reshape(128, rows, 128, columns, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    np.testing.assert_array_equal(gist(image), gist(square))


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (7, 5), (1, 400), (128, 128), (333, 500)])
def test_any_size_is_finite_and_one_colour_gives_zeros(shape):
    vector = gist(patterned_image(500)[: shape[0], : shape[1]])
    assert np.isfinite(vector).all() and vector.min() >= 0 and vector.max() > 0
    for colour in [(0, 0, 0), (255, 255, 255), (200, 13, 77)]:
        assert not gist(np.broadcast_to(np.uint8(colour), (*shape, 3))).any()


@pytest.mark.parametrize("size", [0, 4, 126, -8])
def test_sizes_that_blocks_do_not_divide_are_refused(size):
    with pytest.raises(ValueError, match=f"multiple of 4, at least 8, got {size}"):
        gist(patterned_image(32), size=size)
