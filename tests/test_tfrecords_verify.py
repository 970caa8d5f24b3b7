"""Verification finds what is broken and says where."""

import dataclasses
import io
import random
import shutil

import pytest
import tensorflow as tf
from PIL import Image
from tfrecords_fixtures import Pictures, jpeg

from tfrecords_tools.convert import convert
from tfrecords_tools.schema import DatasetInfo, Record, serialize
from tfrecords_tools.shard_check import check_shard
from tfrecords_tools.shards import file_sha256
from tfrecords_tools.verify import verify

# It holds the pictures 5 to 9, with the tags 2, 0, 1, 2, 0.
SHARD = "train-00001-of-00002.tfrecord"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    source = Pictures(folder / "in", num_train=10, num_test=4)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("tfrecords_tools.shards.SHARDS_PER_SPLIT", 2)
        convert(source, folder / "out", name="pictures", settings={}, workers=1)
    return folder / "out"


@pytest.fixture
def records(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "records")


def record_starts(content):
    """Where each record of a TFRecord file begins: length, checksum, content, checksum."""
    starts = [0]
    while starts[-1] < len(content):
        length = int.from_bytes(content[starts[-1] : starts[-1] + 8], "little")
        starts.append(starts[-1] + 8 + 4 + length + 4)
    return starts[:-1]


def replace_shard(records, serialized):
    """Replaces the shard's content and makes the description agree with it."""
    with tf.io.TFRecordWriter(str(records / SHARD)) as writer:
        for record in serialized:
            writer.write(record)
    describe_shard_as_it_is(records, num_records=len(serialized))


def describe_shard_as_it_is(records, **changes):
    info = DatasetInfo.load(records)
    path = records / SHARD
    info.splits["train"].shards[1] = dataclasses.replace(
        info.splits["train"].shards[1],
        num_bytes=path.stat().st_size,
        sha256=file_sha256(path),
        **changes,
    )
    info.save(records)


def good_record(tag_id=1, seed=0):
    return serialize(Record(jpeg(seed), "good.jpeg", 12, 18, (tag_id,)), Pictures.tag_names)


def begins(lines, *starts):
    """Whether each line begins as expected."""
    return len(lines) == len(starts) and all(map(str.startswith, lines, starts))


def test_whole_data_set_has_no_findings(whole):
    assert verify(whole) == ([], [])


def flipped(records, position, bit):
    """What is found in the shard with one bit flipped."""
    path = records / SHARD
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)
    shard = DatasetInfo.load(records).splits["train"].shards[1]
    checked = check_shard(records, shard, Pictures.tag_names)
    content[position] ^= 1 << bit
    path.write_bytes(content)
    return checked.files + checked.records


def test_byte_flipped_around_a_record_is_found_and_the_record_named(records):
    """In the header's 12 bytes, the content's first byte, the checksum's last three."""
    starts = record_starts((records / SHARD).read_bytes())
    places = [*range(starts[3], starts[3] + 13), *range(starts[4] - 3, starts[4])]
    for number, place in enumerate(places):
        findings = flipped(records, place, number % 8)
        assert begins(findings, f"{SHARD}: its SHA-256", f"{SHARD}, record 3: damaged"), place
    assert verify(records) == ([], [])


def test_random_flipped_bits_are_found(records):
    content = (records / SHARD).read_bytes()
    chance = random.Random(0)
    for _ in range(20):
        position = chance.randrange(len(content))
        record = sum(start <= position for start in record_starts(content)) - 1
        findings = flipped(records, position, chance.randrange(8))
        assert any(line.startswith(f"{SHARD}, record {record}: ") for line in findings)


def test_checksums_are_read_even_if_the_file_is_as_described(records):
    path = records / SHARD
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    describe_shard_as_it_is(records)
    assert begins(verify(records).findings, f"{SHARD}, record 4: damaged")


def test_cut_off_missing_and_extra_files(records):
    path = records / SHARD
    content = path.read_bytes()
    size = len(content)
    path.write_bytes(content[:-5])
    findings = verify(records).findings
    assert begins(findings, f"{SHARD}: {size - 5} bytes, expected {size}", f"{SHARD}, record 4: ")
    # Between two records.
    path.write_bytes(content[: record_starts(content)[3]])
    describe_shard_as_it_is(records)
    findings = verify(records).findings
    assert begins(findings, f"{SHARD}: 3 records, expected 5", "train: 8 records, expected 10")
    path.rename(records / "train-00001-of-00003.tfrecord")
    findings = verify(records).findings
    assert begins(findings, "train-00001-of-00003.tfrecord: not one", f"{SHARD}: missing")


def cmyk():
    buffer = io.BytesIO()
    Image.new("CMYK", (18, 12)).save(buffer, "JPEG")
    return buffer.getvalue()


def png():
    buffer = io.BytesIO()
    Image.new("RGB", (18, 12)).save(buffer, "PNG")
    return buffer.getvalue()


def with_zeros_inside():
    content = bytearray(jpeg(1, height=64, width=64))
    content[-700:-600] = bytes(100)
    return bytes(content)


IMAGES = {
    "cut off": (jpeg(1)[:-200], 12, 18),
    "cut off at the end": (jpeg(1)[:-2], 12, 18),
    "damaged inside": (with_zeros_inside(), 64, 64),
    "empty": (b"", 12, 18),
    "web page": (b"<html>404</html>", 12, 18),
    "PNG": (png(), 12, 18),
    "CMYK": (cmyk(), 12, 18),
    "another size": (jpeg(1), 8, 8),
}


@pytest.mark.parametrize(("encoded", "height", "width"), IMAGES.values(), ids=IMAGES)
def test_images_that_are_not_a_whole_jpeg_of_their_size(records, encoded, height, width):
    wrong = serialize(Record(encoded, "image.jpeg", height, width, (1,)), Pictures.tag_names)
    replace_shard(records, [good_record(), wrong, *[good_record()] * 3])
    findings = [line for line in verify(records).findings if not line.startswith("train: ")]
    assert begins(findings, f"{SHARD}, record 1: image.jpeg: ")


@pytest.mark.parametrize(
    ("tag_ids", "unknown_ids", "names"),
    [
        ((7,), (), [str(i) for i in range(8)]),
        ((1,), (1,), Pictures.tag_names),
        ((1,), (), ["sky", "tree", "sea"]),
    ],
    ids=["unknown id", "twice", "another name"],
)
def test_wrong_tags(records, tag_ids, unknown_ids, names, monkeypatch):
    record = Record(jpeg(1), "tag.jpeg", 12, 18, tag_ids, unknown_ids)
    monkeypatch.setattr("tfrecords_tools.schema.check_tag_ids", lambda *_: None)
    replace_shard(records, [good_record(), serialize(record, names), *[good_record()] * 3])
    findings = verify(records).findings
    assert any(line.startswith(f"{SHARD}, record 1: tag.jpeg: ") for line in findings)


def test_records_of_another_schema(records):
    replace_shard(records, [good_record(), b"nonsense", *[good_record()] * 3])
    assert begins(verify(records).findings, f"{SHARD}, record 1: ")


def test_wrong_counts(records):
    replace_shard(records, [good_record()] * 5)
    findings = verify(records).findings
    assert begins(findings, "train: 2 images", "train: 7 images", "train: 1 images")
    assert "sky" in findings[0] and findings[0].endswith("expected 4")
