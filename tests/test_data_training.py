"""What a training run relies on: an order that is repeatable, and batches that Keras takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from data_support import assert_same, convert_coded, first_batches, joined, picture_numbers

from warptag.data import Records, reading
from warptag.losses import WARP

CHANGES = {"flip": True, "window_area": (0.5, 1.0)}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """60 pictures: an epoch is 7 batches of 8."""
    return Records(convert_coded(tmp_path_factory.mktemp("records"), unsure=False), "train")


def test_an_epoch_shows_an_image_at_most_once_and_epochs_differ_in_order_and_crops(records):
    images, labels = first_batches(records, 14)
    numbers = np.array(picture_numbers(images))
    first, second = set(numbers[:56]), set(numbers[56:])
    assert len(first) == len(second) == 56
    assert first != second and numbers[:56].tolist() != numbers[56:].tolist()
    np.testing.assert_array_equal(labels, records.labels[numbers])
    same = [np.array_equal(*images[numbers == number]) for number in first & second]
    assert np.mean(same) < 0.2


def test_the_seed_changes_the_batches_and_neither_threads_nor_a_global_seed(records, monkeypatch):
    keras.utils.set_random_seed(1)
    expected = first_batches(records, 9, **CHANGES)
    assert not np.array_equal(first_batches(records, 9, seed=2, **CHANGES)[0], expected[0])
    keras.utils.set_random_seed(2)
    monkeypatch.setattr(reading.os, "cpu_count", lambda: 7)
    batches = records.training(crop_size=12, batch_size=8, seed=0, **CHANGES).take(9)
    for threads in (1, 5):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        assert_same(joined(batches.with_options(options)), expected)


def test_a_run_resumes_at_an_epoch_with_the_batches_it_would_have_seen(records):
    whole = first_batches(records, 21, seed=3, **CHANGES)
    rest = first_batches(records, 14, seed=3, first_epoch=1, **CHANGES)
    assert_same([values[56:] for values in whole], rest)
    # The epochs before it are not read, which would take days.
    first_batches(records, 1, first_epoch=10**9)


def test_a_model_is_fitted_evaluated_and_predicts_without_a_warning(records):
    model = keras.Sequential(
        [keras.layers.Input((12, 12, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.compile("sgd", WARP(rank="exact", labels="ids"))
    batches = records.training(crop_size=12, batch_size=8, seed=0, labels="ids")
    history = model.fit(batches, steps_per_epoch=7, epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()

    model.compile("sgd", WARP(rank="exact"))
    for patches, crops_per_image in (("center", 1), ("five", 5)):
        crops = records.evaluation(crop_size=12, batch_size=8, patches=patches)
        assert np.isfinite(model.evaluate(crops, verbose=0))
        assert model.predict(crops, verbose=0).shape == (60 * crops_per_image, 3)


def test_no_thread_tunes_the_pipeline_whose_end_would_wait_for_it(records):
    assert records.evaluation(crop_size=8, batch_size=4).options().autotune.enabled is False
