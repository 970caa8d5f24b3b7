"""The preprocessing inside exported models, against Pillow's and the input pipeline's."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfrecords_tools.images import RESAMPLING, load_image
from warptag.data.crops import fixed_crops, whole_image
from warptag.exporting.preprocessing import evaluation_crop

#: Pillow rounds to grey levels after each of two passes, which makes a difference of one level.
GREY_LEVELS = 1.2


def crop_of(pixels, crop_size, size, shorter_side=False):
    image = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(image, evaluation_crop(image, crop_size, size, shorter_side))
    return np.asarray(model(pixels[None], training=False))[0]


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("shorter_side", [False, True])
@pytest.mark.parametrize("size", [(120, 90), (31, 200), (16, 16), (5, 9), (33, 33)])
def test_resizing_is_that_of_conversion(tmp_path, size, shorter_side):
    pixels = noise(*size)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    stored = load_image(tmp_path / "image.png", 24, shorter_side)
    resized = Image.fromarray(pixels).resize((stored.width, stored.height), RESAMPLING)
    top, left = (stored.height - 20) // 2, (stored.width - 20) // 2
    expected = np.asarray(resized, np.float32)[top : top + 20, left : left + 20]
    difference = np.abs(crop_of(pixels, 20, 24, shorter_side) - expected)
    assert difference.max() < GREY_LEVELS and difference.mean() < 0.4


@pytest.mark.parametrize("size", [(40, 61), (24, 24), (24, 11)])
def test_crops_are_those_of_evaluation(size):
    # With colours at half the resolution, decoding a window of a JPEG differs at its edges.
    buffer = io.BytesIO()
    Image.fromarray(noise(*size)).save(buffer, "JPEG", quality=95, subsampling=0)
    batch = {"encoded": [buffer.getvalue()], "height": size[:1], "width": size[1:]}
    batch = {key: tf.constant(value) for key, value in batch.items()}
    found = crop_of(whole_image(batch["encoded"][0]).numpy(), 24, None)
    # Evaluation rounds enlarged crops to whole grey levels.
    expected = fixed_crops(batch, 24, "center")[0, 0].numpy().astype(np.float32)
    np.testing.assert_allclose(found, expected, atol=0.502)
