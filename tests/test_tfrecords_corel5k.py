"""Corel5K's folder, right and wrong."""

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


def test_images_are_kept_or_resized(folder):
    source = Corel5K(folder, size=None)
    record = source.load(source.splits["train"][0])
    assert record.encoded == (folder / "db" / "train" / "1000.jpeg").read_bytes()
    assert (record.filename, record.height, record.width) == ("train/1000.jpeg", 12, 18)
    record = Corel5K(folder, size=8).load(source.splits["train"][0])
    assert (record.height, record.width, record.tag_ids) == (8, 8, (0, 1, 2, 3))
    record = Corel5K(folder, size=8, shorter_side=True).load(source.splits["train"][0])
    assert (record.height, record.width) == (8, 12)


@pytest.mark.parametrize("missing", ["db", "labels", "db/test"])
def test_missing_folder(folder, missing):
    shutil.rmtree(folder / missing)
    with pytest.raises(InputError, match="expected the folders db and labels|test is missing"):
        Corel5K(folder)


@pytest.mark.parametrize("missing", ["labels/words", "labels/test_label"])
def test_missing_label_file(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"{missing} is missing"):
        Corel5K(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"1003 5 1 \r\n", "word 5 is not one of the words 1 to 4"),
        (b"1003 0 1 \r\n", "word 0 is not"),
        (b"9999 1 \r\n", "9999.jpeg is missing"),
        (b"1003\r\n", "expected an image id and its word ids, found '1003'"),
        (b"1003 sky\r\n", "found '1003 sky'"),
        (b"\r\n1003 1\r\n", "found ''"),
    ],
)
def test_malformed_line_is_named(folder, line, message):
    (folder / "labels" / "training_label").write_bytes(b"1000 1 2 \r\n" + line)
    with pytest.raises(InputError, match=rf"training_label, line 2: .*{message}"):
        Corel5K(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], r"3 lines for the 4 images in .*1005\.jpeg is one without"),
        (lambda lines: [*lines, lines[0]], "line 5: image 1000 has a line of its own already"),
    ],
)
def test_a_label_file_of_the_wrong_length_is_named(tmp_path, change, message):
    folder = write_corel5k(tmp_path)
    path = folder / "labels" / "training_label"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(InputError, match=f"training_label.*{message}"):
        Corel5K(folder)
