"""What a data set is said to hold agrees with its records, in text and in pictures."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from tfrecords_fixtures import contents, jpeg

from tfrecords_tools.convert import convert
from tfrecords_tools.describe import describe, describe_statistics
from tfrecords_tools.errors import DamagedDataset, InputError
from tfrecords_tools.plots import co_occurrence, tag_frequencies, write_plots
from tfrecords_tools.schema import DatasetInfo, Record
from tfrecords_tools.statistics import Statistics, read_statistics


class Album:
    """Image i has as many tags as it has ones in binary, and is 10 + i pixels high."""

    tag_names = ["sky", "sea", "$tree$", "日本"]

    def __init__(self):
        self.splits = {"train": list(range(16)), "validation": [6], "test": [3, 5]}

    def load(self, item):
        tag_ids = tuple(tag_id for tag_id in range(4) if item >> tag_id & 1)
        return Record(jpeg(item, height=10 + item), f"{item}.jpeg", 10 + item, 18, tag_ids)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    convert(Album(), folder, name="album", settings={"size": 8}, workers=1)
    return folder


@pytest.fixture(scope="module")
def statistics(album):
    return read_statistics(album)


def test_description_of_the_data_set(album):
    info = DatasetInfo.load(album)
    text = describe(info)
    assert "album (size 8, converter_version 2): 4 tags" in text
    assert "train: 16 images, 2.00 tags per image" in text
    assert "most frequent: sky 8, sea 8, $tree$ 8, 日本 8" in text
    assert "tags without an image: 1" in text
    assert info.checksum in text


def test_description_of_the_records(statistics):
    lines = describe_statistics(statistics).splitlines()
    assert lines[0].endswith("height 10 to 25 (median 18), width 18")
    assert lines[1].endswith("number of tags: 0: 1, 1: 4, 2: 6, 3: 4, 4: 1")
    assert lines[2].endswith("height 16, width 18")
    split = statistics.splits["test"]._replace(num_tags=np.array([9, 10, 11, 80]))
    text = describe_statistics(statistics._replace(splits={"test": split}))
    assert "number of tags: 9: 1, 10 or more: 3" in text


def test_joint_counts_are_those_of_the_labels(statistics):
    items = np.array([*range(16), 6, 3, 5])
    labels = items[:, None] >> np.arange(4) & 1
    order = statistics.frequent_tags
    # Of all 19 images the tags 0, 1 and 2 have 10, the tag 3 has 8.
    assert order.tolist() == [0, 1, 2, 3]
    assert (statistics.joint_counts == labels.T @ labels).all()


def test_plotted_counts_are_those_of_the_splits_most_frequent_first(album):
    info = DatasetInfo.load(album)
    counts = [5, 0, 70, 10]
    info.splits["train"] = dataclasses.replace(info.splits["train"], tag_counts=counts)
    axes = tag_frequencies(info).axes[0]
    train, validation, test = axes.lines
    assert axes.get_yscale() == "log"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["$tree$", "日本", "sky", "sea"]
    assert train.get_ydata()[:3].tolist() == [70, 10, 5] and np.isnan(train.get_ydata()[3])
    assert np.nan_to_num(validation.get_ydata()).tolist() == [1, 0, 0, 1]
    assert test.get_ydata()[[0, 2, 3]].tolist() == [1, 2, 1] and np.isnan(test.get_ydata()[1])
    assert train.get_label() == "train: 16 images (1 tags have none)"


def test_co_occurrence_is_the_share_of_the_rows_images():
    info = DatasetInfo("pair", "", {}, ["sky", "sea", "fog"], {})
    joint_counts = np.array([[8, 2, 0], [2, 4, 0], [0, 0, 0]])
    statistics = Statistics({}, np.array([1, 0, 2]), joint_counts)
    axes = co_occurrence(info, statistics).axes[0]
    shares = axes.images[0].get_array().filled(np.nan)
    np.testing.assert_equal(shares, [[np.nan, 25, 0], [50, np.nan, 0], [np.nan] * 3])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sea", "sky", "fog"]


def test_plots_are_written_whole_or_not_at_all(album, statistics, monkeypatch):
    paths = write_plots(album, statistics)
    assert [path.stem for path in paths] == ["tag_frequencies", "co_occurrence", "samples"]
    assert sorted((album / "info").iterdir()) == sorted(paths)
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert image.format == "PNG" and min(image.size) > 500
    before = contents(album / "info")

    def fail(self, file, **_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(InputError, match="info cannot be written .No space left on device"):
        write_plots(album, statistics)
    assert contents(album / "info") == before


def test_an_unwritable_folder_and_damaged_records_are_named(album, statistics, tmp_path):
    ignored = shutil.ignore_patterns("info")
    records = shutil.copytree(album, tmp_path / "album", ignore=ignored)
    (records / "info").write_text("a file in the folder's place")
    with pytest.raises(InputError, match="info cannot be written"):
        write_plots(records, statistics)
    shard = records / "train-00003-of-00008.tfrecord"
    for damage in (lambda: os.truncate(shard, shard.stat().st_size - 9), shard.unlink):
        damage()
        with pytest.raises(DamagedDataset) as error:
            read_statistics(records)
        assert error.value.path == shard
