"""What a training run relies on: one order for all workers and threads, tag ids, model.fit."""

import keras
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

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import Record
from warptag.data import Augmentation, Records, reading
from warptag.losses import WARP

ALL_CHANGES = Augmentation((0.5, 1.0), flip=True, brightness=0.1, contrast=0.2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return convert_coded(tmp_path_factory.mktemp("records"), unsure=False)


@pytest.fixture(scope="module")
def unsure(tmp_path_factory):
    return convert_coded(tmp_path_factory.mktemp("unsure"))


@pytest.mark.parametrize("count", [2, 4])
def test_the_shares_of_all_workers_are_the_batches_of_one(data, count):
    def batches(worker):
        records = Records(data, "train", "fit")
        return first_batches(records, 12, worker=worker, augmentation=ALL_CHANGES, first_step=3)

    shares = [batches((index, count)) for index in range(count)]
    joined = [
        tuple(np.concatenate(parts) for parts in zip(*shares_of_one_batch, strict=True))
        for shares_of_one_batch in zip(*shares, strict=True)
    ]
    assert_same_batches(joined, batches((0, 1)))


def test_workers_that_cannot_share_a_batch_equally_are_refused(data):
    records = Records(data, "train")
    for worker in ((0, 3), (2, 2), (-1, 2)):
        with pytest.raises(ValueError, match="worker must be .* a divisor of batch_size"):
            records.training(crop_size=12, batch_size=8, seed=0, worker=worker)


def test_neither_threads_nor_a_global_seed_change_the_batches(data, monkeypatch):
    records = Records(data, "train")
    keras.utils.set_random_seed(1)
    expected = first_batches(records, 10, augmentation=ALL_CHANGES)
    keras.utils.set_random_seed(2)
    monkeypatch.setattr(reading, "MOST_PARALLEL_BATCHES", 1)
    assert_same_batches(first_batches(records, 10, augmentation=ALL_CHANGES), expected)
    monkeypatch.setattr(reading, "MOST_PARALLEL_BATCHES", 7)
    monkeypatch.setattr(reading.os, "cpu_count", lambda: 7)
    assert_same_batches(first_batches(records, 10, augmentation=ALL_CHANGES), expected)


def test_what_a_seed_stands_for_does_not_change_between_versions(data):
    batches = first_batches(
        Records(data, "train"), 1, seed=7, first_step=9, augmentation=Augmentation(flip=True)
    )
    images = batches[0][0].astype(int)
    assert picture_numbers(images) == [29, 6, 12, 19, 50, 34, 27, 11]
    # Red and green are ten times column and row; flipped ones begin with their last column.
    corners = [(round(red / 10), round(green / 10)) for red, green in images[:, 0, 0, :2]]
    flipped = [(14, 3), (14, 1), (14, 1), (14, 1), (12, 4)]
    assert corners == [*flipped[:4], (3, 2), (3, 0), (4, 1), flipped[4]]


def test_going_on_does_not_read_the_epochs_it_passes_over(data, monkeypatch):
    numbers_read = []
    read = reading.Shards.read

    def counted(self, file):
        def count(number, record):
            seen = tf.numpy_function(lambda n: numbers_read.append(n) or n, [number], tf.int64)
            return tf.ensure_shape(seen, ()), record

        return read(self, file).map(count)

    monkeypatch.setattr(reading.Shards, "read", counted)
    first_batches(Records(data, "train"), 1, first_step=1000)  # 133 epochs and a third
    assert 60 <= len(numbers_read) < 60 * 20


class ManyTags:
    """Picture i has the tags 10 i, 10 i + 1, and so on: none to three of them."""

    tag_names = [f"tag {index}" for index in range(1000)]
    splits = {"train": list(range(40))}

    def load(self, item):
        tags = tuple(range(item * 10, item * 10 + item % 4))
        return Record(coded_jpeg(item), f"{item}.jpeg", SIZE, SIZE, tags)


def test_ids_are_the_tags_of_each_image_padded(tmp_path):
    convert(ManyTags(), tmp_path, name="many", settings={}, workers=1, progress=False)
    records = Records(tmp_path, "train")
    expected = np.full((40, 3), -1)
    for item in range(40):
        expected[item, : item % 4] = item * 10 + np.arange(item % 4)
    np.testing.assert_array_equal(records.tag_ids, expected)
    assert records.tag_ids.dtype == np.int32
    for images, ids in first_batches(records, 10, labels="ids"):
        assert ids.dtype == np.int32
        np.testing.assert_array_equal(ids, expected[picture_numbers(images)])
    # Both parts have the same K, whatever their own images need.
    validation = Records(tmp_path, "train", "validation", 0.2)
    np.testing.assert_array_equal(
        validation.tag_ids, expected[picture_numbers(list(validation.images()))]
    )


def test_ids_of_a_split_with_unknown_tags_are_refused(unsure):
    with pytest.raises(InputError, match="unknown tags.*multi_hot"):
        Records(unsure, "train").training(crop_size=12, batch_size=8, seed=0, labels="ids")


@pytest.mark.parametrize("labels", ["multi_hot", "ids"])
def test_a_model_is_fitted_to_the_batches(data, labels):
    model = keras.Sequential(
        [keras.layers.Input((12, 12, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.compile("sgd", WARP(rank="exact", labels=labels))
    batches = Records(data, "train").training(crop_size=12, batch_size=8, seed=0, labels=labels)
    history = model.fit(batches, steps_per_epoch=4, epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_no_thread_tunes_the_pipeline_whose_end_would_wait_for_it(tmp_path):
    records = Records(convert_coded(tmp_path), "train")
    batches = records.training(crop_size=8, batch_size=4, seed=0)
    crops = records.evaluation(crop_size=8, batch_size=4)
    for dataset in (batches, crops):
        assert dataset.options().autotune.enabled is False
