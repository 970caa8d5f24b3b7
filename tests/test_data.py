"""Records to batches: labels, crops, order, parts, sizes."""

import io

import numpy as np
import pytest
import tensorflow as tf
from data_support import (
    SIZE,
    assert_same_batches,
    coded_jpeg,
    convert_coded,
    first_batches,
    picture_numbers,
)
from PIL import Image

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.data.crops import fixed_crops, random_windows


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return convert_coded(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Every third picture is smaller than the crops, every third wide."""
    sizes = [(SIZE, SIZE), (8, 10), (SIZE, 24)]
    return convert_coded(
        tmp_path_factory.mktemp("mixed"),
        train=30,
        image=lambda item: coded_jpeg(item, *sizes[item % 3]),
        size=lambda item: sizes[item % 3],
    )


def test_labels_stand_in_the_order_of_the_source_with_unknown_ones_marked(data):
    labels = Records(data, "test").labels
    assert labels.tolist()[:2] == [[1, 0, -1], [0, 1, 0]]  # pictures 60 and 61
    assert labels.shape == (10, 3)


def test_evaluation_crops_the_centre_in_the_order_of_the_labels(data):
    records = Records(data, "test")
    batches = list(records.evaluation(crop_size=8, batch_size=4))
    assert [batch.shape for batch in batches] == [(4, 1, 8, 8, 3), (4, 1, 8, 8, 3), (2, 1, 8, 8, 3)]
    images = np.concatenate(batches)[:, 0]
    assert picture_numbers(images) == list(range(60, 70))
    # The centre of 16 columns: 4 to 11, coded as ten times the column.
    np.testing.assert_allclose(images[0, 0, :, 0], np.arange(4, 12) * 10, atol=3)


def left_and_top(crop) -> tuple[int, int]:
    return round(int(crop[0, 0, 0]) / 10), round(int(crop[0, 0, 1]) / 10)


def test_five_patches_are_the_centre_and_the_corners():
    sides = tf.constant([SIZE])
    batch = {"encoded": tf.constant([coded_jpeg(0)]), "height": sides, "width": sides}
    patches = fixed_crops(batch, 8, "five").numpy()[0]
    assert [left_and_top(patch) for patch in patches] == [(4, 4), (0, 0), (8, 0), (0, 8), (8, 8)]


def test_random_windows_reach_every_place_that_the_draws_can_name():
    draws = tf.constant([[top, left, 0.0] for top in (0.0, 0.5, 0.999) for left in (0.0, 0.999)])
    windows = random_windows(tf.fill((6,), SIZE), tf.fill((6,), SIZE), 14, draws).numpy()
    places = [(0, 0), (0, 2), (1, 0), (1, 2), (2, 0), (2, 2)]
    assert windows.tolist() == [[*place, 14, 14] for place in places]


@pytest.mark.parametrize("window_area", [None, (0.0001, 1.0)])
def test_windows_stay_in_images_of_every_size(window_area):
    height, width = tf.constant([8, 16, 5000]), tf.constant([10, 9, 7])
    windows = random_windows(height, width, 12, tf.fill((3, 3), 1.0), window_area).numpy()
    # Draws of 1 lie just beyond the largest there are: the last place, and the largest square.
    assert windows.tolist() == [[0, 2, 8, 8], [7, 0, 9, 9], [4993, 0, 7, 7]]


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(data):
    once, again, other = (first_batches(Records(data, "train"), 3, seed=seed) for seed in (1, 1, 2))
    assert_same_batches(once, again)
    assert not np.array_equal(once[0][0], other[0][0])


@pytest.mark.parametrize("part", [None, "fit"])
def test_a_run_that_goes_on_sees_the_batches_it_would_have_seen(data, part):
    records = Records(data, "train", part)
    whole = first_batches(records, 20, seed=3)
    for first_step in (7, 15):  # in the first epoch, and in the second
        rest = first_batches(records, 20 - first_step, seed=3, first_step=first_step)
        assert_same_batches(whole[first_step:], rest)


def test_an_epoch_holds_every_picture_and_epochs_differ_in_order(data):
    batches = first_batches(Records(data, "train"), 15)  # 120 images: two epochs of 60
    numbers = sum((picture_numbers(images) for images, _ in batches), [])
    assert sorted(numbers[:60]) == sorted(numbers[60:]) == list(range(60))
    assert numbers[:60] != numbers[60:]


def test_crops_of_an_image_differ_between_epochs(data):
    batches = first_batches(Records(data, "train"), 15)
    images = np.concatenate([images for images, _ in batches])
    first, second = (
        np.argsort(picture_numbers(images[half])) for half in np.split(np.arange(120), 2)
    )
    assert not np.array_equal(images[:60][first], images[60:][second])


def test_labels_stay_with_their_pictures(data):
    for images, labels in first_batches(Records(data, "train"), 4, seed=5):
        for number, label in zip(picture_numbers(images), labels, strict=True):
            assert label[number % 2] == 1


def test_pictures_sorted_by_category_come_mixed_even_from_a_small_buffer(data):
    # The records stand in the order 0 to 59; let each ten be a category.
    batches = first_batches(Records(data, "train"), 2, batch_size=12, shuffle_buffer=4)
    for images, _ in batches:
        assert len({number // 10 for number in picture_numbers(images)}) >= 3


def test_fit_and_validation_images_are_disjoint_and_complete(data):
    fit, validation = (Records(data, "train", part, 0.3) for part in ("fit", "validation"))
    parts = [picture_numbers(list(records.images())) for records in (fit, validation)]
    assert sorted(parts[0] + parts[1]) == list(range(60))
    assert 5 <= len(validation) <= 31
    assert len(fit) == len(parts[0]) == len(fit.labels)


def test_which_images_are_for_validation_does_not_change_between_versions(data):
    validation = Records(data, "train", "validation", 0.1)
    assert picture_numbers(list(validation.images())) == [0, 4, 8, 13, 42, 43]


def test_training_sees_the_images_of_its_part_only(data):
    fit = Records(data, "train", "fit", 0.3)
    numbers = sum((picture_numbers(images) for images, _ in first_batches(fit, 15)), [])
    assert set(numbers) == set(picture_numbers(list(fit.images())))


def test_images_of_different_sizes_make_one_batch_and_small_ones_are_enlarged(mixed):
    records = Records(mixed, "train")
    batches = first_batches(records, 4)
    assert {images.shape for images, _ in batches} == {(8, 12, 12, 3)}
    numbers = sum((picture_numbers(images) for images, _ in batches), [])
    assert sorted(numbers[:30]) == list(range(30))

    patches = np.concatenate(list(records.evaluation(crop_size=12, batch_size=8, patches="five")))
    assert patches.shape == (30, 5, 12, 12, 3)
    small = patches[1]  # 8 x 10: its windows are 8 x 8, at the left, the middle and the right
    spans = [(round(int(patch[0, :, 0].min()), -1), int(patch[0, -1, 0])) for patch in small]
    assert [left for left, _ in spans] == [10, 0, 20, 0, 20]
    np.testing.assert_allclose([right for _, right in spans], [80, 70, 90, 70, 90], atol=4)


def test_images_of_different_sizes_come_whole_and_gray_ones_in_three_channels(tmp_path):
    def image(item):
        with io.BytesIO() as buffer:
            Image.new("L" if item % 2 else "RGB", (9 + item, 7)).save(buffer, "JPEG")
            return buffer.getvalue()

    convert_coded(tmp_path, train=4, image=image, size=lambda item: (7, 9 + item))
    shapes = [picture.shape for picture in Records(tmp_path, "train")]
    assert shapes == [(7, 9, 3), (7, 10, 3), (7, 11, 3), (7, 12, 3)]
    images, _ = next(iter(Records(tmp_path, "train").training(crop_size=5, batch_size=4, seed=0)))
    assert images.shape == (4, 5, 5, 3)


def test_an_unknown_split_a_missing_folder_and_a_misspelt_choice_are_named(data, tmp_path):
    with pytest.raises(InputError, match="no split 'dev'; it has train, test"):
        _ = Records(data, "dev").labels
    with pytest.raises(InputError, match=str(tmp_path / "none")):
        _ = Records(tmp_path / "none", "train").labels
    with pytest.raises(ValueError, match="part must be one of .* got 'valid'"):
        Records(data, "train", "valid")
    with pytest.raises(ValueError, match="damaged must be one of .* got 'ignore'"):
        Records(data, "train", damaged="ignore")


@pytest.mark.parametrize("count", [2, 3, 5])
def test_of_a_few_images_one_is_for_validation_and_the_others_are_fitted(tmp_path, count):
    folder = convert_coded(tmp_path, train=count)
    validation = Records(folder, "train", "validation", 0.001)
    assert len(validation) == 1
    fit = Records(folder, "train", "fit", 0.001)
    numbers = [*picture_numbers(list(fit)), *picture_numbers(list(validation))]
    assert sorted(numbers) == list(range(count))
