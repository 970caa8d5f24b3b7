"""Square crops of JPEG images inside a tf.data pipeline.

A crop is cut out at its own size, and no pixel is resampled. Only if the image is smaller, or the
area of the window is drawn at random, is the window resized to the crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

PATCHES = ("center", "five")
# TensorFlow's default is faster, but off by several grey levels.
DCT_METHOD = "INTEGER_ACCURATE"


def whole_image(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a JPEG file, grey or colour, to uint8 (height, width, 3)."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT_METHOD)


def random_crops(
    batch: dict[str, tf.Tensor],
    size: int,
    draws: tf.Tensor,
    window_area: Sequence[float] | None = None,
    flip: bool = False,
) -> tf.Tensor:
    """Cuts one crop out of each image, at a random position.

    Args:
        batch: a dict of `encoded`, string (n,), JPEG files, and `height` and `width`, int32 (n,),
            in pixels.
        size: the side of the crops in pixels.
        draws: random numbers, float32 (n, 4), uniform in [0, 1): for the window's top, its left,
            its area and the flip.
        window_area, flip: arguments of `Records.training`.

    Returns:
        uint8 (n, size, size, 3).
    """
    largest = tf.minimum(batch["height"], batch["width"])
    if window_area is None:
        side = tf.minimum(largest, size)
    else:
        low, high = window_area
        share = tf.sqrt(low + (high - low) * draws[:, 2])
        side = tf.maximum(tf.cast(tf.round(share * tf.cast(largest, tf.float32)), tf.int32), 1)
    free = tf.stack([batch["height"] - side, batch["width"] - side], axis=1)
    # On very long sides, rounding may exceed the limit by one.
    place = tf.minimum(tf.cast(draws[:, :2] * tf.cast(free + 1, tf.float32), tf.int32), free)

    def crop(image):
        encoded, place, side, mirrored = image
        window = tf.stack([place[0], place[1], side, side])
        found = _resize(_decode_window(encoded, window), side, size)
        return tf.cond(mirrored, lambda: tf.reverse(found, [1]), lambda: found)

    mirrored = tf.logical_and(flip, draws[:, 3] < 0.5)
    images = (batch["encoded"], place, side, mirrored)
    spec = tf.TensorSpec((size, size, 3), tf.uint8)
    return tf.map_fn(crop, images, fn_output_signature=spec)


def fixed_crops(batch: dict[str, tf.Tensor], size: int, patches: str) -> tf.Tensor:
    """Cuts out the centre crops, or the centre and the four corners (the paper's five patches).

    Args:
        batch: a dict as in `random_crops`.
        size: the side of the crops in pixels.
        patches: one of `PATCHES`.

    Returns:
        uint8 (n, 1 or 5, size, size, 3).
    """
    num_patches = 1 if patches == "center" else 5

    def crops(image):
        encoded, height, width = image
        side = tf.minimum(tf.minimum(height, width), size)
        bottom, right = height - side, width - side
        if patches == "center":
            found = _decode_window(encoded, tf.stack([bottom // 2, right // 2, side, side]))[None]
        else:
            whole = whole_image(encoded)
            places = [(bottom // 2, right // 2), (0, 0), (0, right), (bottom, 0), (bottom, right)]
            found = tf.stack([whole[y : y + side, x : x + side] for y, x in places])
        return _resize(found, side, size)

    images = (batch["encoded"], batch["height"], batch["width"])
    spec = tf.TensorSpec((num_patches, size, size, 3), tf.uint8)
    return tf.map_fn(crops, images, fn_output_signature=spec)


def _decode_window(encoded: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_and_crop_jpeg(encoded, window, channels=3, dct_method=DCT_METHOD)


def _resize(images, side, size: int) -> tf.Tensor:
    """Resizes uint8 images (..., side, side, 3), bilinear and antialiased, if necessary."""

    def resized():
        pixels = tf.image.resize(images, (size, size), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)

    return tf.cond(side == size, lambda: images, resized)
