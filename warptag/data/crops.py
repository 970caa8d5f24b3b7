"""Crops of JPEG images inside a tf.data pipeline; only the crop is decoded where one is enough.

A crop of `size` pixels is a square window of the image. The window is as large as the crop, so
that no pixel is resampled, unless the image is smaller or the window's area is drawn at random:
then the window is resized to the crop.
"""

from __future__ import annotations

import tensorflow as tf

PATCHES = ("center", "five")
# The faster method, TensorFlow's default, is off by several grey levels.
DCT_METHOD = "INTEGER_ACCURATE"


def whole_image(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 (height, width, 3) of a JPEG file, gray or colour."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT_METHOD)


def random_crop(
    record: dict[str, tf.Tensor],
    size: int,
    draws: tf.Tensor,
    window_area: tuple[float, float] | None = None,
) -> tf.Tensor:
    """A crop at a random place.

    Args:
        record: `encoded`, string scalar, a JPEG file; `height` and `width`, int32 scalars.
        size: side of the crop, pixels.
        draws: float32 (3,), uniform in [0, 1): of the top, the left and the area of the window.
        window_area: see `Augmentation`.

    Returns:
        uint8 (size, size, 3).
    """
    largest = tf.minimum(record["height"], record["width"])
    if window_area is None:
        side = tf.minimum(largest, size)
    else:
        low, high = window_area
        share = tf.sqrt(low + (high - low) * draws[2])
        side = tf.maximum(tf.cast(tf.round(share * tf.cast(largest, tf.float32)), tf.int32), 1)
    # Top and left as one vector: fewer operations an image.
    free = tf.stack([record["height"], record["width"]]) - side
    place = tf.cast(draws[:2] * tf.cast(free + 1, tf.float32), tf.int32)
    # Rounding may reach one too many on very long sides.
    return _decode_window(record["encoded"], tf.minimum(place, free), side, size)


def fixed_crops(record: dict[str, tf.Tensor], size: int, patches: str) -> tf.Tensor:
    """The centre crop, or centre and four corners (the paper's five patches).

    Args:
        record: `encoded`, string scalar, a JPEG file; `height` and `width`, int32 scalars.
        size: side of the crops, pixels.
        patches: one of `PATCHES`.

    Returns:
        uint8 (1 or 5, size, size, 3).
    """
    side = tf.minimum(tf.minimum(record["height"], record["width"]), size)
    bottom, right = record["height"] - side, record["width"] - side
    if patches == "center":
        center = tf.stack([bottom // 2, right // 2])
        return _decode_window(record["encoded"], center, side, size)[None]
    image = whole_image(record["encoded"])
    places = [(bottom // 2, right // 2), (0, 0), (0, right), (bottom, 0), (bottom, right)]
    windows = tf.stack([image[y : y + side, x : x + side] for y, x in places])
    return tf.ensure_shape(_resize(windows, side, size), (len(places), size, size, 3))


def _decode_window(encoded, top_left, side, size: int) -> tf.Tensor:
    window = tf.concat([top_left, tf.fill((2,), side)], axis=0)
    image = tf.io.decode_and_crop_jpeg(encoded, window, channels=3, dct_method=DCT_METHOD)
    return tf.ensure_shape(_resize(image, side, size), (size, size, 3))


def _resize(images, side, size: int) -> tf.Tensor:
    """uint8 images (..., side, side, 3) to the size, bilinear and antialiased, if they differ."""

    def resized():
        pixels = tf.image.resize(images, (size, size), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)

    return tf.cond(side == size, lambda: images, resized)
