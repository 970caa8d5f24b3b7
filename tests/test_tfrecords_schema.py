"""Records survive writing and reading; a damaged description is refused."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import (
    INFO_FILE,
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


@pytest.mark.parametrize("record", [RECORD, Record(b"", "untagged.jpg", 1, 1, ())])
def test_record_round_trip(record):
    assert deserialize(serialize(record, TAGS)) == record


def test_tag_names_are_stored_for_other_readers():
    example = tf.train.Example.FromString(serialize(RECORD, TAGS))
    names = example.features.feature["image/tag/names"].bytes_list.value
    assert [name.decode() for name in names] == ["sea", "große Stadt"]


@pytest.mark.parametrize("ids", [(4,), (-1,), (1, 1), (0,)])
def test_wrong_tag_ids_are_refused(ids):
    record = Record(b"", "a.jpg", 1, 1, tag_ids=ids, unknown_ids=(0,))
    with pytest.raises(InputError, match="a.jpg"):
        serialize(record, TAGS)


@pytest.mark.parametrize("damaged", [b"nonsense", b"", serialize(RECORD, TAGS)[:-3]])
def test_foreign_bytes_are_not_a_record(damaged):
    with pytest.raises(InputError, match="Not a record"):
        deserialize(damaged)


def test_parse_in_a_pipeline():
    untagged = Record(b"x", "untagged.jpg", 1, 1, ())
    serialized = [serialize(record, TAGS) for record in (RECORD, untagged)]
    dataset = tf.data.Dataset.from_tensor_slices(serialized).batch(2)
    batches = dataset.map(lambda serialized: parse(serialized, num_tags=4))

    assert batches.element_spec["labels"] == tf.TensorSpec((None, 4), tf.float32)
    (batch,) = batches.as_numpy_iterator()
    assert batch["encoded"].tolist() == [RECORD.encoded, b"x"]
    assert [name.decode() for name in batch["filename"]] == [RECORD.filename, "untagged.jpg"]
    assert (batch["height"].tolist(), batch["width"].tolist()) == ([128, 1], [192, 1])
    np.testing.assert_array_equal(batch["labels"], [[-1, 1, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(batch["tag_ids"], [[3, 1], [-1, -1]])
    np.testing.assert_array_equal(batch["unknown_ids"], [[0], [-1]])
    wider = parse(tf.constant(serialized), num_tags=4, num_ids=3)["tag_ids"]
    np.testing.assert_array_equal(wider, [[3, 1, -1], [-1, -1, -1]])


@pytest.mark.parametrize("num_tags", [2, 3])
def test_parse_refuses_labels_of_tags_that_there_are_not(num_tags):
    with pytest.raises(tf.errors.InvalidArgumentError):
        parse(tf.constant([serialize(RECORD, TAGS)]), num_tags)


def make_info(sha256="a" * 64):
    shards = [Shard("train-00000-of-00001.tfrecord", 2, 100, sha256)]
    return DatasetInfo(
        "name", "source", {"size": 8}, ["a", "b"], {"train": Split(2, [1, 2], shards)}
    )


def test_info_round_trip(tmp_path):
    make_info().save(tmp_path)
    assert DatasetInfo.load(tmp_path) == make_info()
    content = json.loads((tmp_path / INFO_FILE).read_text())
    assert content["checksum"] == make_info().checksum
    assert make_info("b" * 64).checksum != make_info().checksum


def test_info_missing_or_damaged(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        DatasetInfo.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no dataset_info.json"):
        DatasetInfo.load(tmp_path)
    make_info().save(tmp_path)
    text = (tmp_path / INFO_FILE).read_text()
    content = json.loads(text)
    for damaged in (
        text[:-20],
        "[]",
        "{}",
        json.dumps(content | {"tag_names": ["a"]}),
        json.dumps(content | {"other": 1}),
    ):
        (tmp_path / INFO_FILE).write_text(damaged)
        with pytest.raises(InputError, match="dataset_info.json is damaged"):
            DatasetInfo.load(tmp_path)
