"""Conversion: the same files for any number of workers, damaged images left out, no half sets."""

import csv
import os

import pytest
import tensorflow as tf
from tfrecords_fixtures import Pictures, PicturesWithoutTensorFlow

from tfrecords_tools import shards
from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import INFO_FILE, DatasetInfo, Record, deserialize
from tfrecords_tools.verify import verify


def run(source, output, workers=1, size=8, **options):
    return convert(
        source, output, name="pictures", settings={"size": size}, workers=workers, **options
    )


def read(folder, info, split):
    files = [str(folder / shard.file) for shard in info.splits[split].shards]
    return [deserialize(record.numpy()) for record in tf.data.TFRecordDataset(files)]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_written(tmp_path):
    source = Pictures(tmp_path / "in", num_train=40, num_test=10)
    info = run(source, tmp_path / "out")

    assert DatasetInfo.load(tmp_path / "out") == info
    assert [shard.num_records for shard in info.splits["train"].shards] == [5] * 8
    assert [shard.num_records for shard in info.splits["test"].shards] == [2] * 5
    assert info.splits["train"].shards[0].file == "train-00000-of-00008.tfrecord"
    assert info.splits["train"].tag_counts == [14, 13, 13]
    assert read(tmp_path / "out", info, "test") == [source.load(i) for i in range(40, 50)]
    assert verify(tmp_path / "out") == []


def test_same_bytes_with_and_without_worker_processes(tmp_path):
    source = PicturesWithoutTensorFlow(tmp_path / "in")
    run(source, tmp_path / "two", workers=2)
    # This process has TensorFlow; the class stays, for its name is in dataset_info.json.
    source.load = super(PicturesWithoutTensorFlow, source).load
    run(source, tmp_path / "one", workers=1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_large_splits_get_shards_of_limited_size(tmp_path, monkeypatch):
    source = Pictures(tmp_path / "in", num_train=80, num_test=8)
    monkeypatch.setattr(shards, "SHARD_BYTES", 1000)
    info = run(source, tmp_path / "out")
    train = info.splits["train"].shards
    assert len(train) > 8
    # A shard ends with the record that reaches the limit; a record here is below 1,000 bytes.
    assert max(shard.num_bytes for shard in train) < 2000
    assert [record.filename for record in read(tmp_path / "out", info, "train")] == [
        f"{i}.jpeg" for i in range(80)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_damaged_images_are_left_out_and_listed(tmp_path, workers):
    source = Pictures(tmp_path / "in")
    truncated, empty = tmp_path / "in" / "4.jpeg", tmp_path / "in" / "44.jpeg"
    truncated.write_bytes(truncated.read_bytes()[:-200])
    empty.write_bytes(b"")
    info = run(source, tmp_path / "out", workers, max_rejected=0.05)

    assert (info.splits["train"].num_images, info.splits["train"].num_rejected) == (39, 1)
    assert info.splits["train"].tag_counts == [14, 12, 13]
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == ["4", "44"]
    assert "truncated" in rows[0]["reason"] and str(truncated) in rows[0]["reason"]
    assert verify(tmp_path / "out") == []


def test_too_many_damaged_images_stop_the_conversion(tmp_path):
    source = Pictures(tmp_path / "in")
    (tmp_path / "in" / "4.jpeg").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 or more of 50 images are damaged.*4\.jpeg"):
        run(source, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.tfrecord*"))
    with pytest.raises(InputError, match="did not finish"):
        DatasetInfo.load(tmp_path / "out")


def test_unknown_tag_id_and_empty_split(tmp_path):
    class WrongTag(Pictures):
        def load(self, item):
            return Record(b"", f"{item}.jpeg", 1, 1, (3,))

    with pytest.raises(InputError, match=r"0\.jpeg: tag id 3"):
        run(WrongTag(tmp_path / "in"), tmp_path / "out")
    with pytest.raises(InputError, match="no images for the split 'test'"):
        run(Pictures(tmp_path / "in", num_test=0), tmp_path / "out")


def test_complete_data_set_is_reused(tmp_path):
    source, output = Pictures(tmp_path / "in"), tmp_path / "out"
    info = run(source, output)
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    assert run(source, output) == info
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before

    os.truncate(output / info.splits["train"].shards[3].file, 10)
    with pytest.raises(InputError, match="train-00003-of-00008.tfrecord is missing or"):
        run(source, output)


def test_other_data_set_is_replaced_only_when_told(tmp_path):
    source, output = Pictures(tmp_path / "in"), tmp_path / "out"
    run(source, output)
    before = contents(output)
    with pytest.raises(InputError, match="other settings: {'size': 8}, not {'size': 9}"):
        run(source, output, size=9)
    with pytest.raises(InputError, match="other images or labels"):
        run(Pictures(tmp_path / "in", num_train=30), output)
    assert contents(output) == before

    info = run(Pictures(tmp_path / "in", num_train=4), output, overwrite=True)
    assert len(info.splits["train"].shards) == 4
    assert verify(output) == []


def test_record_files_of_others_are_not_removed(tmp_path):
    (tmp_path / "out").mkdir()
    foreign = tmp_path / "out" / "train-00000-of-00001.tfrecord"
    foreign.write_bytes(b"precious")
    with pytest.raises(InputError, match="holds record files"):
        run(Pictures(tmp_path / "in"), tmp_path / "out")
    assert foreign.read_bytes() == b"precious"


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/out cannot be written"):
        run(Pictures(tmp_path / "in"), tmp_path / "file" / "out")


def test_interrupted_conversion_leaves_nothing_whole_and_can_be_repeated(tmp_path):
    source, output = Pictures(tmp_path / "in"), tmp_path / "out"

    class Interrupted(Pictures):
        def load(self, item):
            if item == 45:
                raise KeyboardInterrupt
            return super().load(item)

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(tmp_path / "in"), output)
    assert not (output / INFO_FILE).exists()
    assert not list(output.glob("*.tfrecord*"))
    run(source, output)
    assert verify(output) == []
