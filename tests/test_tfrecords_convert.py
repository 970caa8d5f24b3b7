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
    assert list(info.splits) == ["train", "validation", "test"]
    assert [shard.num_records for shard in info.splits["train"].shards] == [5] * 8
    assert [shard.num_records for shard in info.splits["validation"].shards] == [1] * 5
    assert [shard.num_records for shard in info.splits["test"].shards] == [2] * 5
    assert info.splits["train"].shards[0].file == "train-00000-of-00008.tfrecord"
    assert info.splits["train"].tag_counts == [14, 13, 13]
    assert read(tmp_path / "out", info, "test") == [source.load(i) for i in range(45, 55)]
    assert verify(tmp_path / "out").findings == []


def test_same_bytes_with_and_without_worker_processes(tmp_path):
    source = PicturesWithoutTensorFlow(tmp_path / "in")
    run(source, tmp_path / "two", workers=2)
    # This process has TensorFlow; the class stays, for its name is in dataset_info.json.
    source.load = super(PicturesWithoutTensorFlow, source).load
    run(source, tmp_path / "one", workers=1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_large_splits_get_shards_of_limited_size(tmp_path, monkeypatch):
    source = Pictures(tmp_path / "in", num_train=80, num_test=8)
    monkeypatch.setattr(shards, "RECORDS_PER_SHARD", 7)
    info = run(source, tmp_path / "out")
    assert [shard.num_records for shard in info.splits["train"].shards] == [7] * 11 + [3]
    assert [record.filename for record in read(tmp_path / "out", info, "train")] == [
        f"{i}.jpeg" for i in range(80)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_damaged_images_are_left_out_and_listed(tmp_path, workers):
    source = Pictures(tmp_path / "in")
    truncated, empty = tmp_path / "in" / "4.jpeg", tmp_path / "in" / "49.jpeg"
    truncated.write_bytes(truncated.read_bytes()[:-200])
    empty.write_bytes(b"")
    info = run(source, tmp_path / "out", workers, max_rejected=0.05)

    assert (info.splits["train"].num_images, info.splits["train"].num_rejected) == (39, 1)
    assert info.splits["train"].tag_counts == [14, 12, 13]
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == ["4", "49"]
    assert rows[0]["reason"].startswith(f"{truncated} cannot be read as an image: Premature end")
    assert verify(tmp_path / "out").findings == []


def test_too_many_damaged_images_stop_the_conversion(tmp_path):
    source = Pictures(tmp_path / "in")
    (tmp_path / "in" / "49.jpeg").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 or more of 55 images are damaged.*49\.jpeg"):
        run(source, tmp_path / "out", max_rejected=0.01)
    with pytest.raises(InputError, match="did not finish"):
        DatasetInfo.load(tmp_path / "out")
    # With a larger share it resumes from there.
    assert run(source, tmp_path / "out", max_rejected=0.02).splits["test"].num_rejected == 1


def test_a_few_damaged_images_are_no_reason_to_stop_but_eleven_of_55_are(tmp_path):
    source = Pictures(tmp_path / "in")
    for index in range(10):
        (tmp_path / "in" / f"{index}.jpeg").write_bytes(b"")
    assert run(source, tmp_path / "out").splits["train"].num_rejected == 10
    (tmp_path / "in" / "10.jpeg").write_bytes(b"")
    with pytest.raises(InputError, match="11 or more of 55 images are damaged, 10 are allowed"):
        run(source, tmp_path / "other")


def test_a_split_without_a_readable_image_is_an_error(tmp_path):
    source = Pictures(tmp_path / "in", num_train=40, num_test=2)
    for index in (45, 46):
        (tmp_path / "in" / f"{index}.jpeg").write_bytes(b"")
    with pytest.raises(InputError, match=r"none of the 2 images of the split 'test'.*45\.jpeg"):
        run(source, tmp_path / "out")


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
    with pytest.raises(InputError, match="other settings: {'size': 8, .*}, not {'size': 9, "):
        run(source, output, size=9)
    with pytest.raises(InputError, match="other images or labels"):
        run(Pictures(tmp_path / "in", num_train=30), output)
    assert contents(output) == before

    info = run(Pictures(tmp_path / "in", num_train=4), output, overwrite=True)
    assert len(info.splits["train"].shards) == 4
    assert verify(output).findings == []


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


class Counting(Pictures):
    """Counts what it loads, and stops before one picture."""

    def __init__(self, folder, stop_at=None, error=KeyboardInterrupt):
        super().__init__(folder)
        self.stop_at, self.error, self.loaded = stop_at, error, []

    def load(self, item):
        if item == self.stop_at:
            raise self.error
        self.loaded.append(item)
        return super().load(item)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_stopped_conversion_resumes_with_the_first_unfinished_shard(tmp_path, error):
    output, whole = tmp_path / "out", tmp_path / "whole"
    (tmp_path / "in").mkdir()
    run(Counting(tmp_path / "in"), whole)
    with pytest.raises((KeyboardInterrupt, OSError)):
        run(Counting(tmp_path / "in", stop_at=13, error=error), output)
    assert not (output / INFO_FILE).exists()
    assert not list(output.glob(".partial-*"))
    assert len(list(output.glob("*.tfrecord"))) == 2  # of five pictures each

    again = Counting(tmp_path / "in")
    run(again, output)
    assert again.loaded == list(range(10, 55))
    assert contents(output) == contents(whole)


def test_rejected_images_of_before_the_stop_are_listed_too(tmp_path):
    source = Counting(tmp_path / "in", stop_at=13)
    (tmp_path / "in" / "3.jpeg").write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out")
    source.loaded, source.stop_at = [], None
    info = run(source, tmp_path / "out")
    assert source.loaded == list(range(10, 55))
    assert info.splits["train"].num_rejected == 1
    assert "3," in (tmp_path / "out" / "rejected.csv").read_text().splitlines()[1]


def test_damaged_or_foreign_leftovers_are_made_again(tmp_path):
    output, whole = tmp_path / "out", tmp_path / "whole"
    run(Counting(tmp_path / "in"), whole)
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=33), output)
    damaged = output / "train-00001-of-00008.tfrecord"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    (output / "train-00002-of-00008.tfrecord.json").write_text('{"shard": {"fi')
    (output / ".partial-1234-train-00006-of-00008.tfrecord").write_bytes(b"begun")
    again = Counting(tmp_path / "in")
    run(again, output)
    assert again.loaded == [*range(5, 15), *range(30, 55)]
    assert contents(output) == contents(whole)

    # Of other settings nothing is kept.
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=33), tmp_path / "third", size=9)
    other = Counting(tmp_path / "in")
    run(other, tmp_path / "third")
    assert other.loaded == list(range(55))


def test_replacing_a_data_set_can_be_interrupted_too(tmp_path):
    output = tmp_path / "out"
    run(Counting(tmp_path / "in"), output, size=9)
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=13), output, overwrite=True)
    again = Counting(tmp_path / "in")
    run(again, output, overwrite=True)
    assert again.loaded == list(range(10, 55))
    assert verify(output).findings == []


class Killed(Pictures):
    def load(self, item):
        if item == 20:
            os._exit(9)  # as the system does when memory runs out
        return super().load(item)


def test_a_killed_worker_process_is_one_message(tmp_path):
    with pytest.raises(InputError, match="a worker process was killed.*fewer --workers"):
        run(Killed(tmp_path / "in"), tmp_path / "out", workers=2)
