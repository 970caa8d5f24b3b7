"""Records to batches: order, crops, seeds, validation images, damage."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import Record
from warptag.data import Records
from warptag.data.crops import fixed_crops, random_crop

SIZE = 16


def coded_jpeg(index: int) -> bytes:
    """A picture whose columns say where a crop is from and whose blue says which picture it is."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[..., 0] = np.arange(SIZE) * 10
    pixels[..., 1] = np.arange(SIZE)[:, None] * 10
    pixels[..., 2] = index * 3 + 2
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


class Coded:
    tag_names = ["even", "odd", "unsure"]

    def __init__(self, train: int = 60, test: int = 10):
        self.splits = {"train": list(range(train)), "test": list(range(train, train + test))}

    def load(self, item: int) -> Record:
        unknown = (2,) if item % 5 == 0 else ()
        return Record(coded_jpeg(item), f"{item}.jpeg", SIZE, SIZE, (item % 2,), unknown)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    convert(Coded(), folder, name="coded", settings={}, workers=1, progress=False)
    return folder


def picture_numbers(images) -> list[int]:
    return [round((float(image[..., 2].mean()) - 1) / 3) for image in np.asarray(images)]


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


def test_five_patches_are_the_centre_and_the_corners():
    crops = fixed_crops(tf.constant(coded_jpeg(0)), 8, "five").numpy()
    left_and_top = [(round(c[0, 0, 0] / 10), round(c[0, 0, 1] / 10)) for c in crops.astype(int)]
    assert left_and_top == [(4, 4), (0, 0), (8, 0), (0, 8), (8, 8)]


def test_random_crops_reach_every_place_and_depend_on_the_seed_alone():
    encoded = tf.constant(coded_jpeg(0))

    def place(seed):
        return round(float(random_crop(encoded, 14, tf.constant([7, seed]))[0, 0, 0]) / 10)

    assert {place(seed) for seed in range(60)} == {0, 1, 2}
    assert [place(seed) for seed in range(9)] == [place(seed) for seed in range(9)]


def first_batches(data, count, **arguments):
    dataset = Records(data, "train").training(crop_size=12, batch_size=8, **arguments)
    return [(images.numpy(), labels.numpy()) for images, labels in dataset.take(count)]


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(data):
    once, again, other = (first_batches(data, 3, seed=seed) for seed in (1, 1, 2))
    for (images, labels), (images_again, labels_again) in zip(once, again, strict=True):
        np.testing.assert_array_equal(images, images_again)
        np.testing.assert_array_equal(labels, labels_again)
    assert not np.array_equal(once[0][0], other[0][0])


def test_a_run_that_goes_on_sees_the_batches_it_would_have_seen(data):
    whole, rest = first_batches(data, 12, seed=3), first_batches(data, 5, seed=3, first_step=7)
    for (images, _), (images_after, _) in zip(whole[7:], rest, strict=True):
        np.testing.assert_array_equal(images, images_after)


def test_an_epoch_holds_every_picture_and_epochs_differ_in_order(data):
    batches = first_batches(data, 15, seed=0)  # 120 images: two epochs of 60
    numbers = sum((picture_numbers(images) for images, _ in batches), [])
    assert sorted(numbers[:60]) == sorted(numbers[60:]) == list(range(60))
    assert numbers[:60] != numbers[60:]


def test_labels_stay_with_their_pictures(data):
    for images, labels in first_batches(data, 4, seed=5):
        for number, label in zip(picture_numbers(images), labels, strict=True):
            assert label[number % 2] == 1


def test_fit_and_validation_images_are_disjoint_and_complete(data):
    fit, validation = (Records(data, "train", part, 0.3) for part in ("fit", "validation"))
    parts = [picture_numbers(list(records.images())) for records in (fit, validation)]
    assert sorted(parts[0] + parts[1]) == list(range(60))
    assert 5 <= len(validation) <= 31
    assert len(fit) == len(parts[0])


def test_a_crop_larger_than_the_picture_says_so(data):
    dataset = Records(data, "train").training(crop_size=20, batch_size=8, seed=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="smaller than the crop of 20"):
        next(iter(dataset))


def test_an_unknown_split_and_a_missing_folder_are_named(data, tmp_path):
    with pytest.raises(InputError, match="no split 'dev'; it has train, test"):
        _ = Records(data, "dev").labels
    with pytest.raises(InputError, match=str(tmp_path / "none")):
        _ = Records(tmp_path / "none", "train").labels
