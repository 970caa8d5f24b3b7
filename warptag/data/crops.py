"""Crops of JPEG images inside a tf.data pipeline; only the crop is decoded where one is enough.

A crop of `size` pixels is a square window of the image. The window is as large as the crop, so
that no pixel is resampled, unless the image is smaller or the window's area is drawn at random:
then the window is resized to the crop.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

PATCHES = ("center", "five")
# The faster method, TensorFlow's default, is off by several grey levels.
DCT_METHOD = "INTEGER_ACCURATE"


def whole_image(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 (height, width, 3) of a JPEG file, gray or colour."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT_METHOD)


def random_windows(
    height: tf.Tensor,
    width: tf.Tensor,
    size: int,
    draws: tf.Tensor,
    window_area: tuple[float, float] | None = None,
) -> tf.Tensor:
    """Windows at random places.

    Args:
        height: int32 (n,), of the images, pixels.
        width: int32 (n,).
        size: side of the crops, pixels.
        draws: float32 (n, 3), uniform in [0, 1): of the top, the left and the area of the window.
        window_area: see `Augmentation`.

    Returns:
        int32 (n, 4): top, left, height and width, pixels; the last two are equal.
    """
    largest = tf.minimum(height, width)
    if window_area is None:
        side = tf.minimum(largest, size)
    else:
        low, high = window_area
        share = tf.sqrt(low + (high - low) * draws[:, 2])
        side = tf.maximum(tf.cast(tf.round(share * tf.cast(largest, tf.float32)), tf.int32), 1)
    free = tf.stack([height - side, width - side], axis=1)
    place = tf.cast(draws[:, :2] * tf.cast(free + 1, tf.float32), tf.int32)
    # Rounding may reach one too many on very long sides.
    return tf.concat([tf.minimum(place, free), tf.stack([side, side], axis=1)], axis=1)


def decode_windows(
    encoded: tf.Tensor,
    windows: tf.Tensor,
    size: int,
    draws: tf.Tensor,
    vary: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Decodes one window of each image, and changes it.

    Args:
        encoded: string (n,), JPEG files.
        windows: int32 (n, 4), as of `random_windows`.
        size: side of the crops, pixels.
        draws: float32 (n, ...), for `vary`.
        vary: changes one crop, uint8 (size, size, 3), by its draws.

    Returns:
        uint8 (n, size, size, 3).
    """

    def decode_all(resize: bool) -> tf.Tensor:
        def decode(image):
            encoded, window, draws = image
            crop = _decode_window(encoded, window)
            if resize:
                crop = _resize(crop, window[2], size)
            return vary(tf.ensure_shape(crop, (size, size, 3)), draws)

        return _map(decode, (encoded, windows, draws), (size, size, 3))

    # For each image, operations that are passed over cost time too.
    return tf.cond(
        tf.reduce_all(windows[:, 2] == size), lambda: decode_all(False), lambda: decode_all(True)
    )


def fixed_crops(batch: dict[str, tf.Tensor], size: int, patches: str) -> tf.Tensor:
    """The centre crops, or centre and four corners (the paper's five patches).

    Args:
        batch: `encoded`, string (n,), JPEG files; `height` and `width`, int32 (n,).
        size: side of the crops, pixels.
        patches: one of `PATCHES`.

    Returns:
        uint8 (n, 1 or 5, size, size, 3).
    """

    def center(encoded, bottom, right, side):
        return _decode_window(encoded, tf.stack([bottom // 2, right // 2, side, side]))[None]

    def five(encoded, bottom, right, side):
        image = whole_image(encoded)
        places = [(bottom // 2, right // 2), (0, 0), (0, right), (bottom, 0), (bottom, right)]
        return tf.stack([image[y : y + side, x : x + side] for y, x in places])

    def crops(image):
        encoded, height, width = image
        side = tf.minimum(tf.minimum(height, width), size)
        cut_out = center if patches == "center" else five
        return _resize(cut_out(encoded, height - side, width - side, side), side, size)

    fields = (batch["encoded"], batch["height"], batch["width"])
    return _map(crops, fields, (1 if patches == "center" else 5, size, size, 3))


def _map(function, fields: tuple, shape: tuple[int, ...]) -> tf.Tensor:
    """uint8 (n, *shape): in one loop over a batch, cheaper than `Dataset.map` over images."""
    return tf.map_fn(function, fields, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


def _decode_window(encoded: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_and_crop_jpeg(encoded, window, channels=3, dct_method=DCT_METHOD)


def _resize(images, side, size: int) -> tf.Tensor:
    """uint8 images (..., side, side, 3) to the size, bilinear and antialiased, if they differ."""

    def resized():
        pixels = tf.image.resize(images, (size, size), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)

    return tf.cond(side == size, lambda: images, resized)
