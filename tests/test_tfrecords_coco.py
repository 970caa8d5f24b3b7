"""Folders in COCO's layout, right and wrong."""

import json
import os
import re
import shutil
import unicodedata

import pytest
from tfrecords_fixtures import write_coco

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.coco import COCO
from tfrecords_tools.sources.files import LabelledImage
from tfrecords_tools.verify import verify


@pytest.fixture
def folder(tmp_path):
    return write_coco(tmp_path)


def annotations(folder, name="train2017"):
    return folder / "annotations" / f"instances_{name}.json"


def change(path, **lists):
    """Replaces lists of the file; None removes one."""
    content = json.loads(path.read_text()) | lists
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def image(image_id, *tag_ids, folder="train2017"):
    return LabelledImage(f"{folder}/{image_id:012d}.jpg", tag_ids)


def test_tags_are_the_categories_by_id_and_val_is_the_test_split(folder):
    source = COCO(folder)
    assert source.tag_names == ["person", "dog", "cup"]
    assert source.splits == {
        # A category counts once; the second annotation of image 7 is a crowd.
        "train": [image(7, 0, 2), image(3, 1), image(4, 0)],
        "test": [image(5, 0, 1, folder="val2017")],
    }
    # Images without annotations are left out and counted, or kept.
    assert [note.split(":")[0] for note in source.notes] == ["train", "test"]
    assert all(note.endswith(": 1") for note in source.notes)
    source = COCO(folder, keep_untagged=True)
    assert source.splits["train"][2] == image(9)
    assert source.notes == []


def test_images_may_be_below_a_folder_of_images(folder):
    (folder / "images").mkdir()
    (folder / "train2017").rename(folder / "images" / "train2017")
    source = COCO(folder, size=8, shorter_side=True)
    record = source.load(source.splits["train"][0])
    assert record.filename == "images/train2017/000000000007.jpg"
    assert (record.height, record.width, record.tag_ids) == (8, 12, (0, 2))


def test_with_test_labels_val_is_the_validation_split(folder):
    shutil.copy(annotations(folder, "val2017"), annotations(folder, "test2017"))
    shutil.copytree(folder / "val2017", folder / "test2017")
    splits = COCO(folder).splits
    assert list(splits) == ["train", "validation", "test"]
    assert splits["validation"] == [image(5, 0, 1, folder="val2017")]
    assert splits["test"] == [image(5, 0, 1, folder="test2017")]


def test_a_conversion_is_whole(folder, tmp_path):
    source = COCO(folder, size=8)
    (folder / "train2017" / "000000000003.jpg").unlink()
    records = tmp_path / "records"
    info = convert(source, records, name="coco", settings=source.settings, workers=1)
    # Of the three training images one is missing, and one is for validation.
    assert {split: part.tag_counts for split, part in info.splits.items()} == {
        "train": [1, 0, 0],
        "validation": [1, 0, 1],
        "test": [1, 1, 0],
    }
    assert info.splits["train"].num_rejected == 1
    assert verify(records).findings == []


@pytest.mark.parametrize(
    "content", [b"", b'{"images": [{"id": 1, "fi', b'{"images": ["\xff"]}', b"[" * 10**5, b"[]"]
)
def test_a_damaged_file_is_named(folder, content):
    annotations(folder).write_bytes(content)
    with pytest.raises(InputError, match=r"instances_train2017\.json "):
        COCO(folder)


IMAGE = {"id": 7, "file_name": "000000000007.jpg"}
PERSON = {"id": 1, "name": "person"}


@pytest.mark.parametrize(
    ("lists", "place"),
    [
        ({"annotations": None}, " has no list 'annotations'"),
        ({"images": {}}, " has no list 'images'"),
        ({"images": [7]}, ", images[0]: expected id"),
        ({"images": [{"id": 7}]}, ", images[0]: expected file_name"),
        ({"images": [IMAGE | {"file_name": "a\0"}]}, ", images[0]: expected file_name"),
        ({"images": [IMAGE | {"id": "7"}]}, ", images[0]: expected id"),
        ({"images": [IMAGE, IMAGE]}, ", images[1]: "),
        ({"images": [IMAGE, IMAGE | {"id": 8}]}, ": the file name 'train2017/000000000007.jpg'"),
        ({"images": [IMAGE]}, ", annotations[3]: image_id 3"),
        ({"categories": [PERSON]}, ", annotations[0]: category_id 90"),
        ({"categories": [PERSON, PERSON]}, ", categories[1]: "),
        ({"categories": [{"id": 1, "name": "\ud800"}]}, ", categories[0]: expected name"),
        ({"annotations": [{"image_id": 7}]}, ", annotations[0]: expected category_id"),
    ],
)
def test_an_inconsistent_entry_is_named(folder, lists, place):
    change(annotations(folder), **lists)
    with pytest.raises(InputError, match=re.escape(f"instances_train2017.json{place}")):
        COCO(folder)


def test_categories_obey_the_rules_of_tags(folder):
    decomposed = unicodedata.normalize("NFD", "café")
    named = [(18, " a\ndog  "), (1, decomposed), (90, "Café")]
    categories = [{"id": number, "name": name} for number, name in named]
    for name in ("train2017", "val2017"):
        change(annotations(folder, name), categories=categories)
    source = COCO(folder)
    assert source.tag_names == ["café", "a dog", "Café"]
    (note,) = [note for note in source.notes if "case" in note]
    assert note.endswith("'Café', 'café'")


@pytest.mark.parametrize("other", ["", " \n", "person", " person", "per\u00a0son "])
def test_categories_that_are_empty_or_the_same_are_named(folder, other):
    names = ["per son", "cup", other] if "\u00a0" in other else ["person", "cup", other]
    categories = [
        {"id": number, "name": name} for number, name in zip((1, 90, 18), names, strict=True)
    ]
    change(annotations(folder), categories=categories)
    with pytest.raises(InputError, match=r"instances_train2017\.json, categories\[2\]: "):
        COCO(folder)


def test_names_of_files_have_any_unicode_form(folder):
    decomposed = unicodedata.normalize("NFD", "süß.jpg")
    (folder / "train2017" / "000000000007.jpg").rename(folder / "train2017" / decomposed)
    content = json.loads(annotations(folder).read_text())
    for entry in content["images"]:
        if entry["id"] == 7:
            entry["file_name"] = "süß.jpg"
    annotations(folder).write_text(json.dumps(content))
    source = COCO(folder, size=8)
    assert source.splits["train"][0].filename == f"train2017/{decomposed}"
    assert source.load(source.splits["train"][0]).tag_ids == (0, 2)


def test_annotations_in_a_pipe_are_refused(folder):
    annotations(folder).unlink()
    os.mkfifo(annotations(folder))
    with pytest.raises(InputError, match=r"instances_train2017\.json .*regular"):
        COCO(folder)


def test_files_that_do_not_fit_together_are_named(folder):
    val, other = annotations(folder, "val2017"), annotations(folder, "train2014")
    change(val, annotations=[], categories=[PERSON])
    with pytest.raises(InputError, match=r"val2017\.json .*train2017\.json"):
        COCO(folder)
    shutil.rmtree(folder / "val2017")
    with pytest.raises(InputError, match="images/val2017"):
        COCO(folder)
    val.unlink()
    with pytest.raises(InputError, match=r"val2017\.json, found instances_train2017\.json"):
        COCO(folder)
    shutil.copy(annotations(folder), other)
    with pytest.raises(InputError, match=r"train2017\.json and .*train2014\.json"):
        COCO(folder)
    other.rename(annotations(folder, "default"))
    with pytest.raises(InputError, match=r"instances_default\.json"):
        COCO(folder)


def test_if_no_image_exists_one_is_named(folder):
    for path in (folder / "train2017").iterdir():
        path.rename(path.with_suffix(".jpeg"))
    with pytest.raises(InputError, match=r"train2017/000000000007\.jpg"):
        COCO(folder)
