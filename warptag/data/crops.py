"""Crops of JPEG images inside a tf.data pipeline; only the crop is decoded where one is enough."""

from __future__ import annotations

import tensorflow as tf

PATCHES = ("center", "five")
# The faster method, TensorFlow's default, is off by several grey levels.
DCT_METHOD = "INTEGER_ACCURATE"


def whole_image(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 (height, width, 3) of a JPEG file."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method=DCT_METHOD)


def random_crop(encoded: tf.Tensor, size: int, seed: tf.Tensor) -> tf.Tensor:
    """A crop at a random place.

    Args:
        encoded: string scalar, a JPEG file.
        size: side of the crop, pixels; at most the image's height and width.
        seed: int (2,); the same seed gives the same place.

    Returns:
        uint8 (size, size, 3).
    """
    free = _free_places(encoded, size)
    uniform = tf.random.stateless_uniform((2,), seed)
    top_left = tf.cast(uniform * tf.cast(free + 1, tf.float32), tf.int32)
    return _decode_crop(encoded, tf.minimum(top_left, free), size)


def fixed_crops(encoded: tf.Tensor, size: int, patches: str) -> tf.Tensor:
    """The centre crop, or centre and four corners (the paper's five patches).

    Returns:
        uint8 (1 or 5, size, size, 3).
    """
    free = _free_places(encoded, size)
    if patches == "center":
        return _decode_crop(encoded, free // 2, size)[None]
    image = whole_image(encoded)
    bottom, right = free[0], free[1]
    places = [(bottom // 2, right // 2), (0, 0), (0, right), (bottom, 0), (bottom, right)]
    return tf.stack(
        [tf.ensure_shape(image[y : y + size, x : x + size], (size, size, 3)) for y, x in places]
    )


def _free_places(encoded: tf.Tensor, size: int) -> tf.Tensor:
    shape = tf.io.extract_jpeg_shape(encoded)[:2]
    message = f"an image is smaller than the crop of {size} pixels; convert with a larger --size"
    with tf.control_dependencies([tf.debugging.assert_greater_equal(shape, size, message)]):
        return shape - size


def _decode_crop(encoded: tf.Tensor, top_left: tf.Tensor, size: int) -> tf.Tensor:
    window = tf.concat([top_left, [size, size]], axis=0)
    image = tf.io.decode_and_crop_jpeg(encoded, window, channels=3, dct_method=DCT_METHOD)
    return tf.ensure_shape(image, (size, size, 3))
