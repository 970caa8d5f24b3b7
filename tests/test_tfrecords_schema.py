"""Records survive writing and reading; a damaged description is refused."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_tools.errors import DamagedDataset, InputError
from tfrecords_tools.schema import (
    INFO_FILE,
    JOURNAL_FILE,
    DatasetInfo,
    Record,
    Shard,
    Split,
    deserialize,
    parse,
    serialize,
)

TAGS = ["himmel", "große Stadt", "tree", "sea"]
RECORD = Record(b"\xff\xd8 bytes", "actor/ä 1.jpg", 128, 192, tag_ids=(3, 1), unknown_ids=(0,))
UNTAGGED = Record(b"x", "untagged.jpg", 1, 1, ())


@pytest.mark.parametrize("record", [RECORD, UNTAGGED])
def test_record_round_trip(record):
    assert deserialize(serialize(record, TAGS)) == record


def test_tag_names_are_stored_for_other_readers():
    example = tf.train.Example.FromString(serialize(RECORD, TAGS))
    names = example.features.feature["image/tag/names"].bytes_list.value
    assert [name.decode() for name in names] == ["sea", "große Stadt"]


@pytest.mark.parametrize("ids", [(4,), (-1,), (1, 1), (0,)])
def test_wrong_tag_ids_are_refused(ids):
    with pytest.raises(InputError, match=r"a\.jpg"):
        serialize(Record(b"", "a.jpg", 1, 1, tag_ids=ids, unknown_ids=(0,)), TAGS)


@pytest.mark.parametrize("damaged", [b"nonsense", b"", serialize(RECORD, TAGS)[:-3]])
def test_foreign_bytes_are_not_a_record(damaged):
    with pytest.raises(InputError):
        deserialize(damaged)


def test_parse_in_a_pipeline():
    serialized = [serialize(record, TAGS) for record in (RECORD, UNTAGGED)]
    dataset = tf.data.Dataset.from_tensor_slices(serialized).batch(2)
    batches = dataset.map(lambda serialized: parse(serialized, num_tags=4, num_ids=3))

    assert batches.element_spec["labels"] == tf.TensorSpec((None, 4), tf.float32)
    assert batches.element_spec["tag_ids"] == tf.TensorSpec((None, 3), tf.int32)
    (batch,) = batches.as_numpy_iterator()
    assert batch["encoded"].tolist() == [RECORD.encoded, b"x"]
    assert [name.decode() for name in batch["filename"]] == [RECORD.filename, "untagged.jpg"]
    assert (batch["height"].tolist(), batch["width"].tolist()) == ([128, 1], [192, 1])
    np.testing.assert_array_equal(batch["labels"], [[-1, 1, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(batch["tag_ids"], [[3, 1, -1], [-1, -1, -1]])
    np.testing.assert_array_equal(batch["unknown_ids"], [[0], [-1]])
    usual = parse(tf.constant(serialized), num_tags=4)["tag_ids"]
    np.testing.assert_array_equal(usual, [[3, 1], [-1, -1]])


@pytest.mark.parametrize("num_tags", [2, 3])
def test_parse_refuses_ids_that_are_out_of_range(num_tags):
    with pytest.raises(tf.errors.InvalidArgumentError):
        parse(tf.constant([serialize(RECORD, TAGS)]), num_tags)


def make_info(sha256="a" * 64):
    shards = [Shard("train-00000-of-00001.tfrecord", 2, 100, sha256)]
    splits = {"train": Split(2, [1, 2], shards)}
    return DatasetInfo("name", "source", {"size": 8}, ["a", "b"], splits)


def test_info_round_trip(tmp_path):
    make_info().save(tmp_path)
    assert DatasetInfo.load(tmp_path) == make_info()
    content = json.loads((tmp_path / INFO_FILE).read_text())
    assert content["checksum"] == make_info().checksum
    assert make_info("b" * 64).checksum != make_info().checksum


def test_info_missing_unfinished_or_damaged(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(InputError, match=f"{path.name} is not a folder"):
            DatasetInfo.load(path)
    with pytest.raises(InputError, match=f"holds no {INFO_FILE}"):
        DatasetInfo.load(tmp_path)
    (tmp_path / JOURNAL_FILE).touch()
    with pytest.raises(InputError, match="has not finished"):
        DatasetInfo.load(tmp_path)
    make_info().save(tmp_path)
    text = (tmp_path / INFO_FILE).read_text()
    content = json.loads(text)
    wrong_tags, other_key = content | {"tag_names": ["a"]}, content | {"other": 1}
    for damaged in (text[:-20], "[]", "{}", json.dumps(wrong_tags), json.dumps(other_key)):
        (tmp_path / INFO_FILE).write_text(damaged)
        with pytest.raises(DamagedDataset) as error:
            DatasetInfo.load(tmp_path)
        assert error.value.path == tmp_path / INFO_FILE
