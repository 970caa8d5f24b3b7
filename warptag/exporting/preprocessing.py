"""The image preparation of conversion and evaluation as operations of Keras inside a model.

Resizing is two matrix products with weights computed from the height and the width: these
operations exist in every export format, for photographs of any size. They are operations of
`keras.ops` in a functional model, which loads without custom objects.
"""

from __future__ import annotations

import numpy as np
from keras import KerasTensor, ops


def evaluation_crop(
    image: KerasTensor, crop_size: int, size: int | None, shorter_side: bool = False
) -> KerasTensor:
    """The centre crop of photographs that a network is evaluated on.

    The same as `tfrecords_tools.images.load_image` followed by `Records.evaluation`, but without
    JPEG compression in between and without rounding to whole grey levels: a pixel that is rounded
    differently by another runtime would change scores more than anything else.

    Args:
        image: (batch, height, width, 3), pixels from 0 to 255.
        crop_size: side of the crop, pixels.
        size: side of the square that photographs are resized to first, by antialiased bicubic
            resampling as in Pillow; None keeps their size.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.

    Returns:
        float32 (batch, crop_size, crop_size, 3), pixels from 0 to 255.

    Example:
        >>> import keras
        >>> image = keras.Input((None, None, 3), dtype="uint8")
        >>> evaluation_crop(image, crop_size=55, size=64).shape
        (None, 55, 55, 3)
    """
    # Channels first, so that each channel is a matrix to be multiplied by the weights.
    pixels = ops.cast(ops.transpose(image, (0, 3, 1, 2)), "float32")
    if size is not None:
        pixels = _resize(pixels, min(size, crop_size), size, shorter_side)
    if size is None or size < crop_size:
        pixels = _center_crop(pixels, crop_size)
    return ops.transpose(pixels, (0, 2, 3, 1))


def _resize(pixels: KerasTensor, window: int, size: int, shorter_side: bool) -> KerasTensor:
    """The centre window (batch, 3, window, window) of the resized photographs."""
    centers = [_pixel_centers(pixels, axis) for axis in (2, 3)]
    lengths = [ops.sum(ops.ones_like(places)) for places in centers]
    shorter = ops.minimum(*lengths)
    weights = []
    for places, length in zip(centers, lengths, strict=True):
        resized = (
            ops.round(length * size / shorter) if shorter_side else ops.ones_like(length) * size
        )
        scale = length / resized
        wanted = (ops.floor((resized - window) / 2) + _places(window)) * scale
        distances = _distances(places, wanted) / ops.maximum(scale, 1.0)
        weights.append(_normalized(_bicubic(distances)))
    return _resample(pixels, *weights)


def _center_crop(pixels: KerasTensor, crop_size: int) -> KerasTensor:
    """The centre crop, or the largest square enlarged to it by bilinear resampling."""
    centers = [_pixel_centers(pixels, axis) for axis in (2, 3)]
    lengths = [ops.sum(ops.ones_like(places)) for places in centers]
    side = ops.minimum(ops.minimum(*lengths), float(crop_size))
    weights = []
    for places, length in zip(centers, lengths, strict=True):
        start = ops.floor((length - side) / 2)
        wanted = start + side / crop_size * _places(crop_size)
        inside = ops.logical_and(places > start, places < start + side)
        triangle = ops.maximum(1.0 - ops.abs(_distances(places, wanted)), 0.0)
        weights.append(_normalized(triangle * ops.cast(inside, "float32")))
    return _resample(pixels, *weights)


def _pixel_centers(pixels: KerasTensor, axis: int) -> KerasTensor:
    """float32 (length,): 0.5, 1.5, ...; by a sum, since the length is symbolic."""
    line = pixels[0, 0, :, 0] if axis == 2 else pixels[0, 0, 0, :]
    return ops.cumsum(ops.ones_like(line)) - 0.5


def _places(count: int) -> np.ndarray:
    return np.arange(count, dtype="float32") + 0.5


def _distances(places: KerasTensor, wanted: KerasTensor) -> KerasTensor:
    """(num_wanted, length)."""
    return ops.expand_dims(places, 0) - ops.expand_dims(wanted, 1)


def _bicubic(distances: KerasTensor) -> KerasTensor:
    """The kernel of Pillow's bicubic resampling, with a = -0.5."""
    x = ops.minimum(ops.abs(distances), 2.0)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    return ops.where(x < 1.0, near, far)


def _normalized(weights: KerasTensor) -> KerasTensor:
    return weights / ops.sum(weights, axis=1, keepdims=True)


def _resample(pixels: KerasTensor, rows: KerasTensor, columns: KerasTensor) -> KerasTensor:
    """(batch, 3, height, width) to (batch, 3, num_rows, num_columns), first along the width."""
    # Bicubic weights overshoot at edges; Pillow also clips after each of the two passes.
    pixels = ops.clip(ops.matmul(pixels, ops.transpose(columns)), 0.0, 255.0)
    return ops.clip(ops.matmul(rows, pixels), 0.0, 255.0)
