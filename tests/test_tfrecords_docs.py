"""docs/data.md does what it says."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest
from tfrecords_fixtures import write_photographs

from tfrecords_tools.__main__ import cli
from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import DatasetInfo
from tfrecords_tools.sources import SOURCES, source_class
from tfrecords_tools.sources.files import LabelledImage
from tfrecords_tools.verify import verify

PAGE = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLE = next(text for _, text in BLOCKS if "class VOC2007" in text)
LABELS, COMMANDS = (text for _, text in BLOCKS[:2])


def run(command):
    cli.main(shlex.split(command), standalone_mode=False)


def test_a_folder_becomes_records_in_three_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos = write_photographs(
        tmp_path / "photos", "beach.jpg", "2024/boat.png", "2024/harbour.jpg"
    )
    (photos / "labels.csv").write_text(LABELS)
    commands = COMMANDS.splitlines()
    assert len(commands) == 3
    for command in commands:
        run(command.removeprefix("python -m tfrecords_tools "))
    info = DatasetInfo.load("records")
    assert info.tag_names == ["boat", "sand", "sea"]
    assert list(info.splits) == ["train", "validation", "test"]


@pytest.fixture
def voc2007(tmp_path, monkeypatch):
    """A small VOC2007, and the page's example where the page says to put it."""
    name = "tfrecords_tools.sources.voc2007"
    path = tmp_path / "voc2007.py"
    path.write_text(EXAMPLE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(SOURCES, "voc2007", "VOC2007")

    folder = tmp_path / "VOC2007"
    write_photographs(folder / "JPEGImages", *(f"00000{index}.jpg" for index in range(1, 5)))
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, text in {
        "cat_trainval": "000001  1\n000003 -1\n",
        "dog_trainval": "000001  0\n000003  1\n",
        "cat_test": "000002  1\n000004 -1\n",
        "dog_test": "000002  1\n000004  0\n",
    }.items():
        (lists / f"{name}.txt").write_text(text)
    return folder


def test_the_example_source_has_under_40_lines_and_converts(tmp_path, voc2007):
    assert len(EXAMPLE.splitlines()) < 40
    source = source_class("voc2007")(voc2007, size=8)
    assert source.splits["train"] == [
        LabelledImage("000001.jpg", (0,), unknown_ids=(1,)),
        LabelledImage("000003.jpg", (1,)),
    ]
    records = tmp_path / "records"
    info = convert(source, records, name="voc2007", settings=source.settings, workers=1)
    assert info.tag_names == ["cat", "dog"]
    assert [split.num_images for split in info.splits.values()] == [1, 1, 2]
    assert info.splits["test"].tag_counts == [1, 1]
    assert verify(records).findings == []


def test_the_example_source_says_what_it_expected(tmp_path, voc2007):
    with pytest.raises(InputError, match="expected the folder VOC2007"):
        source_class("voc2007")(tmp_path)
