"""Corel5K's folder, right and wrong."""

import re
import shutil

import pytest
from tfrecords_fixtures import write_corel5k

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.corel5k import Corel5K
from tfrecords_tools.sources.files import LabelledImage


@pytest.fixture
def folder(tmp_path):
    return write_corel5k(tmp_path)


def test_labels(folder):
    for input_dir in (folder, folder.parent):
        source = Corel5K(input_dir)
        assert source.tag_names == ["city", "mountain", "sky", "sun"]
        assert source.splits == {
            "train": [
                LabelledImage("train/1000.jpeg", (0, 1, 2, 3)),
                LabelledImage("train/1003.jpeg", (2, 3)),
                LabelledImage("train/1004.jpeg", (0,)),
                LabelledImage("train/1005.jpeg", (1, 3)),
            ],
            # The word that the line repeats counts once.
            "test": [
                LabelledImage("test/2000.jpeg", (0, 1)),
                LabelledImage("test/2001.jpeg", (2,)),
            ],
        }


@pytest.mark.parametrize("missing", ["db", "labels", "db/test", "labels/words"])
def test_missing_folder_or_file(folder, missing):
    path = folder / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match=re.escape(str(folder))):
        Corel5K(folder)


@pytest.mark.parametrize(
    "line", ["1003 5 1 ", "1003 0 1 ", "9999 1 ", "1003", "1003 sky", "", "1000 1"]
)
def test_malformed_line_is_named(folder, line):
    (folder / "labels" / "training_label").write_bytes(f"1000 1 2 \r\n{line}\r\n1003 1".encode())
    with pytest.raises(InputError, match="training_label, line 2: "):
        Corel5K(folder)


def test_an_image_without_a_line_is_named(folder):
    path = folder / "labels" / "training_label"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(InputError, match=r"training_label .* 1005\.jpeg"):
        Corel5K(folder)
