"""Verification finds what is broken and says where."""

import dataclasses
import os
import shutil

import pytest
import tensorflow as tf
from tfrecords_fixtures import Pictures, jpeg

from tfrecords_tools.convert import convert
from tfrecords_tools.describe import describe
from tfrecords_tools.schema import DatasetInfo, Record, serialize
from tfrecords_tools.shards import file_sha256
from tfrecords_tools.verify import verify

SHARD = "train-00002-of-00008.tfrecord"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    source = Pictures(folder / "in")
    convert(source, folder / "out", name="pictures", settings={"size": 8}, workers=1)
    return folder / "out"


@pytest.fixture
def records(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "records")


def test_flipped_byte_is_found(records):
    path = records / SHARD
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    findings = verify(records)
    assert any(f.startswith(f"{SHARD}: the SHA-256") for f in findings)
    assert any(f.startswith(f"{SHARD}, record 2: damaged or cut off") for f in findings)


def test_missing_and_extra_files(records):
    (records / SHARD).rename(records / "train-00002-of-00003.tfrecord")
    findings = verify(records)
    assert f"{SHARD}: missing" in findings
    assert "train-00002-of-00003.tfrecord: not one of the data set's files" in findings
    assert "train: 35 records, expected 40" in findings


def test_truncated_shard(records):
    size = (records / SHARD).stat().st_size
    os.truncate(records / SHARD, size - 5)
    findings = verify(records)
    assert f"{SHARD}: {size - 5} bytes, expected {size}" in findings
    assert any(f.startswith(f"{SHARD}, record 4: damaged or cut off") for f in findings)


def replace_shard(records, serialized):
    """Replaces the shard's content and makes the description agree with it."""
    with tf.io.TFRecordWriter(str(records / SHARD)) as writer:
        for record in serialized:
            writer.write(record)
    info = DatasetInfo.load(records)
    path = records / SHARD
    info.splits["train"].shards[2] = dataclasses.replace(
        info.splits["train"].shards[2], num_bytes=path.stat().st_size, sha256=file_sha256(path)
    )
    info.save(records)


@pytest.mark.parametrize(
    ("record", "finding"),
    [
        (Record(jpeg(1)[:-200], "cut.jpeg", 12, 18, (0,)), "record 1: image file is truncated"),
        (Record(jpeg(1), "large.jpeg", 8, 8, (0,)), "record 1: large.jpeg is 12 x 18 pixels"),
        (Record(jpeg(1), "tag.jpeg", 12, 18, (7,)), "record 1: tag.jpeg: tag id 7"),
    ],
)
def test_records_that_are_wrong_in_themselves(records, record, finding):
    good = serialize(Record(jpeg(0), "good.jpeg", 12, 18, (1,)), Pictures.tag_names)
    wrong = serialize(record, [str(i) for i in range(8)])
    replace_shard(records, [good, wrong, good, good, good])
    assert any(finding in f for f in verify(records))


def test_records_of_another_schema(records):
    good = serialize(Record(jpeg(0), "good.jpeg", 12, 18, (1,)), Pictures.tag_names)
    replace_shard(records, [good, b"nonsense", good, good])
    findings = verify(records)
    assert findings[0].startswith(f"{SHARD}, record 1: Not a record")
    assert findings[1:] == [
        f"{SHARD}: 3 records, expected 5",
        "train: 38 records, expected 40",
    ]


def test_wrong_counts(records):
    good = serialize(Record(jpeg(0), "good.jpeg", 12, 18, (1,)), Pictures.tag_names)
    replace_shard(records, [good] * 5)
    # The shard held the pictures 10 to 14: tags 1, 2, 0, 1, 2.
    assert verify(records) == [
        "train: 13 images of the tag sky, expected 14",
        "train: 16 images of the tag sea, expected 13",
        "train: 11 images of the tag tree, expected 13",
    ]


def test_description(whole):
    text = describe(DatasetInfo.load(whole))
    assert "pictures (size 8): 3 tags" in text
    assert "train: 40 images, 1.00 tags an image" in text
    assert "most frequent: sky 14, sea 13, tree 13" in text
    assert DatasetInfo.load(whole).checksum in text
