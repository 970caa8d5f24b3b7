"""Conversion: the same files for any number of workers, damaged images left out, no half sets."""

import csv
import os

import pytest
import tensorflow as tf
from tfrecords_fixtures import Killed, Pictures, PicturesWithoutTensorFlow, contents

from tfrecords_tools import shards
from tfrecords_tools.convert import convert
from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset, TooManyRejected
from tfrecords_tools.schema import INFO_FILE, DatasetInfo, Record, deserialize
from tfrecords_tools.verify import verify


def run(source, output, workers=1, size=8, **options):
    return convert(
        source, output, name="pictures", settings={"size": size}, workers=workers, **options
    )


def read(folder, info, split):
    files = [str(folder / shard.file) for shard in info.splits[split].shards]
    return [deserialize(record.numpy()) for record in tf.data.TFRecordDataset(files)]


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
    assert verify(tmp_path / "out") == ([], [])


def test_same_bytes_with_and_without_worker_processes(tmp_path):
    source = PicturesWithoutTensorFlow(tmp_path / "in", 12, 1, 2)
    (tmp_path / "in" / "4.jpeg").write_bytes(b"")
    run(source, tmp_path / "two", workers=2)
    # This process has TensorFlow; the class stays, since its name is in dataset_info.json.
    source.load = super(PicturesWithoutTensorFlow, source).load
    run(source, tmp_path / "one", workers=1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_large_splits_get_shards_of_limited_size(tmp_path, monkeypatch):
    source = Pictures(tmp_path / "in", num_train=20, num_validation=0, num_test=1)
    monkeypatch.setattr(shards, "RECORDS_PER_SHARD", 2)
    info = run(source, tmp_path / "out", validation_share=0.1)
    parts = [info.splits[name] for name in ("train", "validation")]
    assert {shard.num_records for part in parts for shard in part.shards} <= {1, 2}
    assert len(parts[0].shards) > 8
    files = [record.filename for record in read(tmp_path / "out", info, "train")]
    # In order, and without those for validation, whose number does not depend on the shards.
    assert files == [f"{i}.jpeg" for i in range(20) if f"{i}.jpeg" in files]
    assert len(files) + parts[1].num_images == 20


def test_damaged_images_are_left_out_and_listed(tmp_path):
    source = Pictures(tmp_path / "in")
    truncated, empty = tmp_path / "in" / "4.jpeg", tmp_path / "in" / "49.jpeg"
    truncated.write_bytes(truncated.read_bytes()[:-200])
    empty.write_bytes(b"")
    info = run(source, tmp_path / "out", max_rejected=0.05)

    assert (info.splits["train"].num_images, info.splits["train"].num_rejected) == (39, 1)
    assert info.splits["train"].tag_counts == [14, 12, 13]
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == ["4", "49"]
    assert rows[0]["reason"].startswith(f"{truncated} cannot be read as an image: Premature end")
    assert verify(tmp_path / "out").findings == []


def test_too_many_damaged_images_stop_the_conversion(tmp_path):
    source = Pictures(tmp_path / "in", 30, 1, 4)
    for index in range(10):
        (tmp_path / "in" / f"{index}.jpeg").write_bytes(b"")
    assert run(source, tmp_path / "out").splits["train"].num_rejected == 10
    (tmp_path / "in" / "34.jpeg").write_bytes(b"")
    with pytest.raises(TooManyRejected, match=r"0\.jpeg") as error:
        run(source, tmp_path / "other")
    assert (error.value.num_rejected, error.value.num_allowed) == (11, 10)
    assert not (tmp_path / "other" / INFO_FILE).exists()
    with pytest.raises(TooManyRejected) as error:
        run(source, tmp_path / "other", max_rejected=0.1)
    assert error.value.num_allowed == 3
    # With a larger share it resumes.
    assert run(source, tmp_path / "other", max_rejected=0.5).splits["test"].num_rejected == 1


def test_a_split_without_a_readable_image_is_an_error(tmp_path):
    source = Pictures(tmp_path / "in", 8, 1, 2)
    for index in (9, 10):
        (tmp_path / "in" / f"{index}.jpeg").write_bytes(b"")
    with pytest.raises(InputError, match=r"'test'.*9\.jpeg"):
        run(source, tmp_path / "out")


def test_unknown_tag_id_and_empty_split(tmp_path):
    class WrongTag(Pictures):
        def load(self, item):
            return Record(b"", f"{item}.jpeg", 1, 1, (3,))

    with pytest.raises(InputError, match=r"0\.jpeg"):
        run(WrongTag(tmp_path / "in", 3, 1, 1), tmp_path / "out")
    with pytest.raises(InputError, match="'test'"):
        run(Pictures(tmp_path / "in", 3, 1, 0), tmp_path / "out")


def test_complete_data_set_is_reused(tmp_path):
    source, output = Pictures(tmp_path / "in", 8, 1, 2), tmp_path / "out"
    info = run(source, output)
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    assert run(source, output) == info
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before

    damaged = output / info.splits["train"].shards[3].file
    os.truncate(damaged, 10)
    with pytest.raises(DamagedDataset) as error:
        run(source, output)
    assert error.value.path == damaged


def test_another_data_set_is_replaced_only_with_overwrite(tmp_path):
    source, output = Pictures(tmp_path / "in", 8, 1, 2), tmp_path / "out"
    run(source, output)
    before = contents(output)
    smaller = Pictures(tmp_path / "in", 4, 1, 2)
    for other, size, field in ((source, 9, "settings"), (smaller, 8, "input_checksum")):
        with pytest.raises(OtherDataset) as error:
            run(other, output, size=size)
        assert (error.value.directory, error.value.field) == (output, field)
    assert contents(output) == before

    info = run(smaller, output, overwrite=True)
    assert len(info.splits["train"].shards) == 4
    assert verify(output).findings == []


def test_record_files_of_others_are_not_removed(tmp_path):
    (tmp_path / "out").mkdir()
    foreign = tmp_path / "out" / "train-00000-of-00001.tfrecord"
    foreign.write_bytes(b"precious")
    with pytest.raises(OtherDataset) as error:
        run(Pictures(tmp_path / "in", 3, 1, 1), tmp_path / "out")
    assert error.value.field == "files"
    assert foreign.read_bytes() == b"precious"


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/out cannot be written"):
        run(Pictures(tmp_path / "in", 3, 1, 1), tmp_path / "file" / "out")


class Counting(Pictures):
    """Counts what it loads, and stops before one picture."""

    def __init__(self, folder, stop_at=None, error=KeyboardInterrupt):
        super().__init__(folder, 16, 1, 3)
        self.stop_at, self.error, self.loaded = stop_at, error, []

    def load(self, item):
        if item == self.stop_at:
            raise self.error
        self.loaded.append(item)
        return super().load(item)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of an undisturbed conversion of `Counting`."""
    folder = tmp_path_factory.mktemp("whole")
    run(Counting(folder / "in"), folder / "out")
    return contents(folder / "out")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_stopped_conversion_resumes_with_the_first_unfinished_shard(tmp_path, whole, error):
    output = tmp_path / "out"
    with pytest.raises((KeyboardInterrupt, OSError)):
        run(Counting(tmp_path / "in", stop_at=5, error=error), output)
    assert not (output / INFO_FILE).exists()
    assert not list(output.glob(".partial-*"))
    assert len(list(output.glob("*.tfrecord"))) == 2  # of two pictures each

    again = Counting(tmp_path / "in")
    run(again, output)
    assert again.loaded == list(range(4, 20))
    assert contents(output) == whole


def test_images_rejected_before_the_stop_are_listed_too(tmp_path):
    source = Counting(tmp_path / "in", stop_at=5)
    (tmp_path / "in" / "3.jpeg").write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out")
    source.loaded, source.stop_at = [], None
    info = run(source, tmp_path / "out")
    assert source.loaded == list(range(4, 20))
    assert info.splits["train"].num_rejected == 1
    assert "3," in (tmp_path / "out" / "rejected.csv").read_text().splitlines()[1]


def test_damaged_or_foreign_leftovers_are_made_again(tmp_path, whole):
    output = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=13), output)
    damaged = output / "train-00001-of-00008.tfrecord"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    (output / "train-00002-of-00008.tfrecord.json").write_text('{"shard": {"fi')
    (output / "train-00003-of-00008.tfrecord.json").write_text("[]")
    (output / ".partial-1234-train-00006-of-00008.tfrecord").write_bytes(b"begun")
    again = Counting(tmp_path / "in")
    run(again, output)
    assert again.loaded == [*range(2, 8), *range(12, 20)]
    assert contents(output) == whole


def test_nothing_of_other_settings_is_kept_and_replacing_can_be_interrupted(tmp_path, whole):
    output = tmp_path / "out"
    run(Counting(tmp_path / "in"), output, size=9)
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=5), output, overwrite=True)
    again = Counting(tmp_path / "in")
    run(again, output, overwrite=True)
    assert again.loaded == list(range(4, 20))
    assert contents(output) == whole
    with pytest.raises(KeyboardInterrupt):
        run(Counting(tmp_path / "in", stop_at=13), tmp_path / "third", size=9)
    other = Counting(tmp_path / "in")
    run(other, tmp_path / "third")
    assert other.loaded == list(range(20))


def test_a_killed_worker_process_is_one_message(tmp_path):
    with pytest.raises(InputError, match="a worker process was killed"):
        run(Killed(tmp_path / "in", 3, 1, 1), tmp_path / "out", workers=2)
