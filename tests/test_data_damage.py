"""Damaged records: named as errors, or left out, listed, and the rest aligned."""

import os
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from data_support import coded_jpeg, convert_coded, first_batches, picture_numbers

from tfrecords_tools.errors import InputError
from warptag.data import Records, input_errors

# 60 pictures in 8 shards of 8: picture 17 is record 1 of the third.
CUT_OFF, NO_PICTURE = 17, 42


def image(item: int) -> bytes:
    encoded = coded_jpeg(item)
    return {CUT_OFF: encoded[: len(encoded) // 2], NO_PICTURE: b"no picture"}.get(item, encoded)


@pytest.fixture(scope="module")
def bad_images(tmp_path_factory):
    return convert_coded(tmp_path_factory.mktemp("bad"), image=image)


@pytest.fixture
def bad_file(tmp_path):
    """One byte differs in the sixth of eight records of the fourth shard: pictures 24 to 31."""
    # Such a name must come out readable in messages.
    folder = convert_coded(tmp_path / "böse [daten]")
    shard = folder / "train-00003-of-00008.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) * 11 // 16] ^= 255
    shard.write_bytes(content)
    return folder


LOST = [29, 30, 31]


def message(folder, file: int, record: int) -> str:
    path = folder / f"train-{file:05d}-of-00008.tfrecord"
    return re.escape(f"{path}, record {record}: damaged")


def use_all(records):
    return [batch for batch in first_batches(records, 20, batch_size=4)]


def test_training_names_the_image_that_cannot_be_decoded(bad_images):
    message = r"record [12]: damaged.*verify.*damaged=\"skip\""
    with pytest.raises(InputError, match=message), input_errors():
        use_all(Records(bad_images, "train"))


def test_evaluation_and_images_name_the_first_image_that_cannot_be_decoded(bad_images):
    records = Records(bad_images, "train")
    with pytest.raises(InputError, match=message(bad_images, 2, 1)), input_errors():
        list(records.evaluation(crop_size=12, batch_size=8))
    with pytest.raises(InputError, match=message(bad_images, 2, 1)):
        list(records.images())


def test_a_fit_ends_at_a_damaged_record_with_its_name(bad_images):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    batches = Records(bad_images, "train").training(crop_size=12, batch_size=8, seed=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"of-00008.tfrecord, record \d: "):
        model.fit(batches, steps_per_epoch=8, shuffle=False, verbose=0)


def test_a_wrong_checksum_is_named_by_file_and_record(bad_file):
    with pytest.raises(InputError, match=message(bad_file, 3, 5)):
        _ = Records(bad_file, "train").labels
    with pytest.raises(InputError, match=r"böse \[daten\].*record [567]: damaged"), input_errors():
        use_all(Records(bad_file, "train"))


def test_skipping_leaves_the_damaged_out_everywhere_and_lists_them(bad_images):
    records = Records(bad_images, "train", damaged="skip")
    rest = [item for item in range(60) if item not in (CUT_OFF, NO_PICTURE)]
    assert [where.rpartition("/")[2] for where in records.skipped] == [
        "train-00002-of-00008.tfrecord, record 1",
        "train-00005-of-00008.tfrecord, record 2",
    ]
    assert len(records) == len(records.labels) == 58
    assert records.labels.argmax(axis=1).tolist() == [item % 2 for item in rest]
    assert picture_numbers(list(records.images())) == rest
    evaluated = np.concatenate(list(records.evaluation(crop_size=12, batch_size=8)))
    assert picture_numbers(evaluated[:, 0]) == rest
    trained = sum((picture_numbers(images) for images, _ in use_all(records)), [])
    assert sorted(trained[:58]) == rest


def test_skipping_a_wrong_checksum_loses_the_rest_of_its_file(bad_file):
    records = Records(bad_file, "train", damaged="skip")
    assert [where[-8:] for where in records.skipped] == ["record 5", "record 6", "record 7"]
    assert picture_numbers(list(records.images())) == [i for i in range(60) if i not in LOST]


@pytest.fixture
def foreign_record(tmp_path):
    """The second of eight records of the third shard, with a right checksum, is none of ours."""
    shard = convert_coded(tmp_path) / "train-00002-of-00008.tfrecord"
    records = list(tf.data.TFRecordDataset(shard).as_numpy_iterator())
    records[1] = b"\xff" * len(records[1])
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in records:
            writer.write(record)
    return tmp_path


def test_a_foreign_record_is_named(foreign_record):
    with pytest.raises(InputError, match=message(foreign_record, 2, 1)):
        _ = Records(foreign_record, "train").labels
    with pytest.raises(InputError, match=message(foreign_record, 2, 1)), input_errors():
        use_all(Records(foreign_record, "train"))


def test_a_foreign_record_is_skipped_alone(foreign_record):
    records = Records(foreign_record, "train", damaged="skip")
    assert [where[-8:] for where in records.skipped] == ["record 1"]
    assert picture_numbers(list(records.images())) == [item for item in range(60) if item != 17]


def test_a_split_of_which_nothing_is_left_is_refused(tmp_path):
    convert_coded(tmp_path, image=lambda item: b"no picture")
    with pytest.raises(InputError, match="no image in part"):
        len(Records(tmp_path, "train", damaged="skip"))


def test_the_parts_leave_out_what_is_damaged_too(bad_images):
    parts = [
        Records(bad_images, "train", part, 0.3, damaged="skip") for part in ("fit", "validation")
    ]
    numbers = sum((picture_numbers(list(part.images())) for part in parts), [])
    assert sorted(numbers) == [i for i in range(60) if i not in (CUT_OFF, NO_PICTURE)]


def test_going_on_after_a_stop_skips_the_same_records(bad_images):
    records = Records(bad_images, "train", damaged="skip")
    whole, rest = use_all(records), first_batches(records, 4, batch_size=4, first_step=16)
    np.testing.assert_array_equal(whole[16][0], rest[0][0])


def test_nothing_is_skipped_where_nothing_is_damaged(tmp_path):
    convert_coded(tmp_path)
    records, skipping = (Records(tmp_path, "train", damaged=how) for how in ("error", "skip"))
    assert records.skipped == skipping.skipped == []
    np.testing.assert_array_equal(first_batches(records, 1)[0][0], first_batches(skipping, 1)[0][0])


@pytest.mark.parametrize("change", ["shorter", "longer"])
def test_a_file_of_another_size_is_named_before_anything_is_read(tmp_path, change):
    shard = convert_coded(tmp_path) / "train-00001-of-00008.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-100] if change == "shorter" else content + content)
    with pytest.raises(InputError, match=f"{shard}: damaged.*bytes instead of"):
        Records(tmp_path, "train").training(crop_size=12, batch_size=8, seed=0)
    records = Records(tmp_path, "train", damaged="skip")
    numbers = picture_numbers(list(records.images()))
    # Cut off, it lacks its last picture; what is too much is not read.
    assert numbers == [item for item in range(60) if change == "longer" or item != 15]


@pytest.mark.parametrize("damaged", ["error", "skip"])
def test_a_missing_file_is_named_also_when_it_vanishes_later(tmp_path, damaged):
    shard = convert_coded(tmp_path) / "train-00001-of-00008.tfrecord"
    records = Records(tmp_path, "train", damaged=damaged)
    batches = records.training(crop_size=12, batch_size=8, seed=0)
    os.remove(shard)
    vanished = f"{shard} is missing or cannot be opened"
    with pytest.raises(InputError, match=vanished), input_errors():
        list(batches.take(20))
    with pytest.raises(InputError, match=f"{shard} is missing"):
        len(Records(tmp_path, "train", damaged=damaged))
