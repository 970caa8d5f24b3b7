"""Damaged and missing files: one InputError that names them, never an endless run."""

import re
from functools import partial

import keras
import pytest
import tensorflow as tf
from data_support import coded_jpeg, convert_coded, first_batches

from tfrecords_tools.errors import InputError
from warptag.data import Records, input_errors

# 60 pictures in 8 shards of 8: picture 17 is record 1 of the third.
CUT_OFF = 17
EVALUATION = {"crop_size": 12, "batch_size": 8}
WAYS = {
    "training": lambda records: first_batches(records, 14),
    "evaluation": lambda records: list(records.evaluation(**EVALUATION)),
    "five patches": lambda records: list(records.evaluation(**EVALUATION, patches="five")),
    "images": list,
}
START_TRAINING = partial(Records.training, **EVALUATION, seed=0)
ways = pytest.mark.parametrize("use", WAYS.values(), ids=WAYS)


def shard(folder, file: int):
    return folder / f"train-{file:05d}-of-00008.tfrecord"


def assert_named(use, records, path, *words):
    with pytest.raises(InputError, match=re.escape(str(path))) as caught, input_errors():
        use(records)
    for word in (*words, f"tfrecords_tools verify {path.parent}"):
        assert word in str(caught.value)


def cut_off(item: int) -> bytes:
    encoded = coded_jpeg(item)
    return encoded[: len(encoded) // 2] if item == CUT_OFF else encoded


@pytest.fixture(scope="module")
def bad_image(tmp_path_factory):
    # Such a name must be readable in messages.
    return convert_coded(tmp_path_factory.mktemp("data") / "böse [daten]", image=cut_off)


@ways
def test_an_image_that_cannot_be_decoded_is_named(bad_image, use):
    assert_named(use, Records(bad_image, "train"), shard(bad_image, 2), "record 1 ")


def test_fit_ends_at_a_damaged_record_and_names_it(bad_image):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    batches = Records(bad_image, "train").training(**EVALUATION, seed=0)
    with pytest.raises(tf.errors.OpError, match=r"train-00002-of-00008.tfrecord: record 1 "):
        model.fit(batches, steps_per_epoch=7, epochs=2, shuffle=False, verbose=0)


def test_a_wrong_checksum_is_named(tmp_path):
    path = shard(convert_coded(tmp_path), 3)
    content = bytearray(path.read_bytes())
    content[len(content) * 11 // 16] ^= 255  # in the sixth of eight records
    path.write_bytes(content)
    records = Records(tmp_path, "train")
    assert_named(lambda records: records.labels, records, path, "record 5 ")
    # Training may meet one of the records after it first, which cannot be found either.
    assert_named(WAYS["training"], records, path, "record ")


def test_a_record_of_another_program_is_named(tmp_path):
    path = shard(convert_coded(tmp_path), 2)
    records = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
    records[1] = b"\xff" * len(records[1])
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    for use in (lambda records: records.labels, WAYS["training"]):
        assert_named(use, Records(tmp_path, "train"), path, "record 1 ")


@pytest.mark.parametrize("change", [lambda content: content[:-100], lambda content: content * 2])
def test_a_file_of_another_size_is_named_before_anything_is_read(tmp_path, change):
    path = shard(convert_coded(tmp_path), 7)
    path.write_bytes(change(path.read_bytes()))
    assert_named(START_TRAINING, Records(tmp_path, "train"), path)


@pytest.mark.parametrize("use", [WAYS["training"], list], ids=["training", "images"])
def test_a_file_that_vanishes_is_named_and_a_missing_one_before_anything_is_read(tmp_path, use):
    records = Records(convert_coded(tmp_path), "train")
    records.training(**EVALUATION, seed=0)  # finds all files
    shard(tmp_path, 1).unlink()
    assert_named(use, records, shard(tmp_path, 1))
    assert_named(START_TRAINING, Records(tmp_path, "train"), shard(tmp_path, 1))
