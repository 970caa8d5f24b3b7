"""Flips, colours and random windows: what they do, and how often."""

import numpy as np
import pytest
import tensorflow as tf
from data_support import convert_coded, first_batches, picture_numbers

from warptag.data import Augmentation, Records

MIDDLE = tf.fill((5,), 0.5)
GRADIENT = np.stack(
    [np.tile(np.arange(40, 200, 10, np.uint8), (8, 1)), *np.full((2, 8, 16), 90, np.uint8)], axis=-1
)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return Records(convert_coded(tmp_path_factory.mktemp("records")), "train")


def draws(**values) -> tf.Tensor:
    order = ("flip", "brightness", "contrast", "saturation", "hue")
    return tf.constant([values.get(name, 0.5) for name in order])


def is_flipped(image) -> bool:
    return image[0, 0, 0] > image[0, -1, 0]


def test_half_of_the_images_are_flipped_and_the_crops_stay_the_same(records):
    plain = first_batches(records, 15)
    flipped = first_batches(records, 15, augmentation=Augmentation(flip=True))
    flags = []
    for (image, same), (other, labels) in zip(plain, flipped, strict=True):
        np.testing.assert_array_equal(same, labels)
        for one, two in zip(image, other, strict=True):
            flags.append(is_flipped(two))
            np.testing.assert_array_equal(two, one[:, ::-1] if flags[-1] else one)
    assert 0.3 < np.mean(flags) < 0.7


def test_windows_of_random_area_are_resized_to_the_crop(records):
    batches = first_batches(records, 15, augmentation=Augmentation(window_area=(0.25, 1.0)))
    images = np.concatenate([images for images, _ in batches])
    assert sorted(picture_numbers(images)[:60]) == list(range(60))
    # Red is ten times the column: a window of all 16 columns spans 150, one of 8 columns 70.
    spans = images[:, 0, -1, 0].astype(int) - images[:, 0, 0, 0]
    assert spans.min() < 85
    assert spans.max() > 135
    assert ((spans > 60) & (spans < 155)).all()


def test_without_a_change_the_pixels_stay_as_they_are():
    varied = Augmentation(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2)
    np.testing.assert_array_equal(varied.vary(GRADIENT, MIDDLE), GRADIENT)
    np.testing.assert_array_equal(Augmentation().vary(GRADIENT, draws(flip=0.0)), GRADIENT)


def test_brightness_adds_a_share_of_white():
    varied = Augmentation(brightness=0.2).vary(GRADIENT, draws(brightness=0.75))
    np.testing.assert_allclose(varied, GRADIENT + 0.2 * 0.5 * 255, atol=1)


def test_contrast_stretches_around_the_mean():
    varied = Augmentation(contrast=0.4).vary(GRADIENT, draws(contrast=0.25))
    mean = GRADIENT.mean(axis=(0, 1))
    np.testing.assert_allclose(varied, mean + (GRADIENT - mean) * (1 - 0.4 * 0.5), atol=1)


def test_without_saturation_the_image_is_gray_and_hue_turns_red_into_green():
    gray = Augmentation(saturation=1.0).vary(GRADIENT, draws(saturation=0.0)).numpy()
    assert (gray.max(axis=-1) == gray.min(axis=-1)).all()
    red = np.full((2, 2, 3), (200, 0, 0), np.uint8)
    turned = Augmentation(hue=0.5).vary(red, draws(hue=0.5 + 1 / 3))
    np.testing.assert_allclose(turned[0, 0], (0, 200, 0), atol=1)


def test_bright_pixels_stop_at_white():
    white = np.full((2, 2, 3), 250, np.uint8)
    assert Augmentation(brightness=0.5).vary(white, draws(brightness=0.9)).numpy().min() == 255


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window_area": (0.0, 1.0)}, "0 < low <= high <= 1"),
        ({"window_area": (0.9, 0.5)}, "0 < low <= high <= 1"),
        ({"brightness": -0.1}, "brightness must be from 0 to 1, got -0.1"),
        ({"hue": 0.6}, "hue must be from 0 to 0.5, got 0.6"),
    ],
)
def test_a_change_out_of_range_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**arguments)
