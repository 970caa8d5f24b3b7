"""Records to labels and crops, in evaluation and training."""

import io

import numpy as np
import pytest
import tensorflow as tf
from data_support import (
    SIZE,
    coded_jpeg,
    convert_coded,
    first_batches,
    joined,
    left_and_top,
    picture_numbers,
)
from PIL import Image

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import DatasetInfo, Record
from tfrecords_tools.verify import verify
from warptag.data import Records
from warptag.data.crops import random_crops


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


def test_labels_are_in_the_order_of_the_records_with_unknown_ones_marked(data):
    records = Records(data, "test")
    assert len(records) == 10
    assert records.labels.dtype == np.int8
    assert records.labels.tolist()[:2] == [[1, 0, -1], [0, 1, 0]]  # pictures 60 and 61
    assert records.tag_counts.tolist() == [5, 5, 0]


def test_names_and_chosen_images_are_in_the_order_of_the_records(data):
    records = Records(data, "test")
    assert records.names == [f"{number}.jpeg" for number in range(60, 70)]
    assert picture_numbers(list(records.images([0, 3, 9]))) == [60, 63, 69]
    assert list(records.images([])) == []


def test_evaluation_gives_the_centre_of_each_image_with_its_labels(data):
    records = Records(data, "test")
    dataset = records.evaluation(crop_size=8, batch_size=4)
    assert len(dataset) == 3
    assert [len(images) for images, _ in dataset] == [4, 4, 2]
    images, labels = joined(dataset)
    assert images.shape == (10, 8, 8, 3) and images.dtype == np.uint8
    assert picture_numbers(images) == list(range(60, 70))
    assert {left_and_top(image) for image in images} == {(4, 4)}
    np.testing.assert_array_equal(labels, records.labels)


def test_five_patches_are_the_centre_and_the_corners_each_with_the_labels(data):
    records = Records(data, "test")
    dataset = records.evaluation(crop_size=8, batch_size=4, patches="five")
    assert [len(images) for images, _ in dataset] == [20, 20, 10]
    images, labels = joined(dataset)
    assert picture_numbers(images) == np.repeat(range(60, 70), 5).tolist()
    assert [left_and_top(image) for image in images[:5]] == [(4, 4), (0, 0), (8, 0), (0, 8), (8, 8)]
    np.testing.assert_array_equal(labels, np.repeat(records.labels, 5, axis=0))


def crops_of_squares(draws, **arguments):
    """A crop of 12 pixels of a coded picture for each triple of draws."""
    draws = tf.constant([[*draw, 0.5] for draw in draws])
    sides = tf.fill((len(draws),), SIZE)
    batch = {"encoded": tf.fill((len(draws),), coded_jpeg(0)), "height": sides, "width": sides}
    return random_crops(batch, 12, draws, **arguments).numpy()


def test_random_crops_reach_every_place_of_the_image_and_none_outside():
    shares = np.linspace(0, 1, 21, dtype=np.float32)  # 1 itself is never drawn
    crops = crops_of_squares([(top, left, 0.0) for top in shares for left in shares])
    assert {left_and_top(crop) for crop in crops} == {(x, y) for x in range(5) for y in range(5)}


@pytest.mark.parametrize(("draw", "side"), [(0.0, 8), (0.5, 13), (1.0, 16)])
def test_a_window_of_random_area_is_resized_to_the_crop(draw, side):
    [crop] = crops_of_squares([(1.0, 1.0, draw)], window_area=(0.25, 1.0))
    spans = crop[0, -1, 0] - int(crop[0, 0, 0]), crop[-1, 0, 1] - int(crop[0, 0, 1])
    # Red and green rise by ten for every pixel of the window.
    np.testing.assert_allclose(spans, (side - 1) * 10, atol=7)
    assert crop[-1, -1, 0] > 145  # the window is at the lower right


def test_half_of_the_crops_are_flipped_and_nothing_else_changes(data):
    records = Records(data, "train")
    plain, labels = first_batches(records, 14)
    flipped, same_labels = first_batches(records, 14, flip=True)
    np.testing.assert_array_equal(labels, same_labels)
    is_flipped = flipped[:, 0, 0, 0] > flipped[:, 0, -1, 0]
    assert 0.3 < is_flipped.mean() < 0.7
    plain[is_flipped] = plain[is_flipped, :, ::-1]
    np.testing.assert_array_equal(flipped, plain)


def test_images_of_different_sizes_share_batches_and_small_ones_are_enlarged(mixed):
    records = Records(mixed, "train")
    images, _ = first_batches(records, 3)
    assert images.shape == (24, 12, 12, 3)
    assert len(set(picture_numbers(images))) == 24

    images, _ = joined(records.evaluation(crop_size=12, batch_size=8, patches="five"))
    small = images[5:10]  # 8 x 10: its windows are 8 x 8, at the left, the middle and the right
    assert [round(int(patch[0, 0, 0]), -1) for patch in small] == [10, 0, 20, 0, 20]
    np.testing.assert_allclose(small[:, 0, -1, 0], [80, 70, 90, 70, 90], atol=4)


def test_whole_images_keep_their_sizes_and_gray_ones_have_three_channels(tmp_path):
    def image(item):
        with io.BytesIO() as buffer:
            Image.new("L" if item % 2 else "RGB", (9 + item, 7)).save(buffer, "JPEG")
            return buffer.getvalue()

    convert_coded(tmp_path, train=3, image=image, size=lambda item: (7, 9 + item))
    records = Records(tmp_path, "train")
    assert [picture.shape for picture in records] == [(7, 9, 3), (7, 10, 3), (7, 11, 3)]
    assert first_batches(records, 1, crop_size=5, batch_size=3)[0].shape == (3, 5, 5, 3)


class ManyTags:
    """Picture i has the tags 10 i, 10 i + 1, and so on: none to three of them."""

    tag_names = [f"tag {index}" for index in range(1000)]
    splits = {"train": range(40), "validation": [40], "test": [41]}

    def load(self, item):
        tags = tuple(range(item * 10, item * 10 + item % 4))
        return Record(coded_jpeg(item), f"{item}.jpeg", SIZE, SIZE, tags)


def test_ids_are_the_tags_of_each_image_padded(tmp_path):
    convert(ManyTags(), tmp_path, name="many", settings={}, workers=1)
    records = Records(tmp_path, "train")
    expected = np.full((40, 3), -1, np.int32)
    for item in range(40):
        expected[item, : item % 4] = item * 10 + np.arange(item % 4)
    np.testing.assert_array_equal(records.tag_ids, expected, strict=True)
    images, ids = first_batches(records, 5, labels="ids")
    np.testing.assert_array_equal(ids, expected[picture_numbers(images)], strict=True)


def test_ids_of_a_split_with_unknown_tags_are_refused(data):
    with pytest.raises(InputError, match="unknown"):
        first_batches(Records(data, "train"), 1, labels="ids")


def test_fewer_images_than_a_batch_are_refused(data):
    with pytest.raises(InputError, match="60 images.*batch of 61"):
        first_batches(Records(data, "train"), 1, batch_size=61)


def test_a_missing_folder_and_a_missing_split_are_named(data, tmp_path):
    with pytest.raises(InputError, match=str(tmp_path / "none")):
        len(Records(tmp_path / "none", "train"))
    info = DatasetInfo.load(data)
    del info.splits["validation"]
    info.save(tmp_path)
    with pytest.raises(InputError, match="validation"):
        len(Records(tmp_path, "validation"))


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a [1] b* c? %s {d}\n\udcff"
    convert_coded(folder)
    assert not verify(folder).findings
    records = Records(folder, "test")
    assert len(list(records.images())) == len(records)


@pytest.mark.parametrize(
    "wrong", [{"window_area": (0.0, 1.0)}, {"window_area": (0.9, 0.5)}, {"labels": "names"}]
)
def test_arguments_out_of_range_are_refused(data, wrong):
    [name] = wrong
    with pytest.raises(ValueError, match=name):
        first_batches(Records(data, "train"), 1, **wrong)
