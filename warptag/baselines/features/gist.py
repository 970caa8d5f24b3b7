"""The GIST descriptor of one image: the energy by orientation, scale and position."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

from warptag.baselines.features.resizing import to_square

_ORIENTATIONS = (8, 8, 4)  # per scale, from the finest
_BLOCKS = 4  # per side
_PADDING = 5  # pixels mirrored at each side, so that the borders are not edges


def gist(image: np.ndarray, size: int = 128) -> np.ndarray:
    """GIST descriptor in colour (Oliva and Torralba, 2001): 20 Gabor filters, 4x4 blocks.

    The image is resized to a square and its local contrast normalized. The magnitudes of the
    responses to Gabor filters of 8, 8 and 4 orientations, from the finest scale to the coarsest,
    are averaged over the blocks. The values are those of LEAR's `color_gist_scaletab` on the
    square (Douze et al., 2009). An image of one colour gives zeros.

    Args:
        image: uint8 array (height, width, 3), RGB, of any size.
        size: side of the square in pixels, a multiple of 4, at least 8.

    Returns:
        float32 array (960,), finite and not negative. Reshaped to (3, 20, 4, 4) it is indexed by
        channel, filter (by scale, then orientation), column and row of the block.

    Raises:
        ValueError: `size` is not such a number.

    Example:
        >>> image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
        >>> gist(image).shape
        (960,)
    """
    if size < 8 or size % _BLOCKS:
        raise ValueError(f"size must be a multiple of {_BLOCKS}, at least 8, got {size!r}")
    channels = _normalize_contrast(np.moveaxis(to_square(image, size), 2, 0))

    spectra = fft.fft2(channels)
    filters = _gabor_filters(size)
    side = size // _BLOCKS
    means = np.empty((3, len(filters), _BLOCKS, _BLOCKS), np.float32)
    # One filter at a time fits into the processor's cache.
    for number, transfer in enumerate(filters):
        magnitudes = np.abs(fft.ifft2(spectra * transfer, overwrite_x=True))
        blocks = magnitudes.reshape(3, _BLOCKS, side, _BLOCKS, side).mean(axis=(2, 4))
        means[:, number] = blocks.swapaxes(1, 2)
    return means.ravel()


def _normalize_contrast(channels: np.ndarray) -> np.ndarray:
    """The logarithm minus its local mean, divided by the local deviation of all channels.

    Takes a uint8 array (3, size, size), returns a float32 array of the same shape.
    """
    margin = ((0, 0), (_PADDING, _PADDING), (_PADDING, _PADDING))
    padded = np.pad(np.log1p(channels, dtype=np.float32), margin, mode="symmetric")
    low_pass = _low_pass_filter(padded.shape[1])

    def blur(x):
        return fft.irfft2(fft.rfft2(x) * low_pass, s=x.shape[-2:])

    # A constant cancels below. Without it, an image of one colour gives exact zeros.
    padded -= padded[:, :1, :1]
    padded -= blur(padded)
    variance = blur(padded.mean(axis=0) ** 2)
    # Rounding can make a variance near zero negative.
    padded /= 0.2 + np.sqrt(np.abs(variance))
    return padded[:, _PADDING:-_PADDING, _PADDING:-_PADDING]


@lru_cache
def _low_pass_filter(size: int) -> np.ndarray:
    """Transfer function (size, size // 2 + 1): Gaussian, one half at 4 cycles per image."""
    y = fft.fftfreq(size, 1 / size)[:, np.newaxis]
    x = fft.rfftfreq(size, 1 / size)
    return (0.5 ** ((x**2 + y**2) / 4**2)).astype(np.float32)


@lru_cache
def _gabor_filters(size: int) -> np.ndarray:
    """Transfer functions (20, size, size), Gaussian in relative frequency and in angle."""
    y = fft.fftfreq(size)[:, np.newaxis]
    x = fft.fftfreq(size)
    frequency = np.hypot(x, y)
    angle = np.arctan2(y, x)
    filters = []
    for scale, num_orientations in enumerate(_ORIENTATIONS):
        peak = 0.3 / 1.85**scale  # cycles per pixel
        radial = -3.5 * (frequency / peak - 1) ** 2
        for orientation in range(num_orientations):
            turned = angle + np.pi * orientation / num_orientations
            turned = (turned + np.pi) % (2 * np.pi) - np.pi
            filters.append(np.exp(radial - 2 * np.pi * (num_orientations / 8 * turned) ** 2))
    return np.array(filters, np.float32)
