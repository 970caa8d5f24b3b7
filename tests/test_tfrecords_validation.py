"""Which images are for validation: the source's own, or a share of train chosen by name."""

import hashlib
import os
import unicodedata

import pytest
from tfrecords_fixtures import Pictures

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError, OtherDataset
from tfrecords_tools.sources.files import LabelledImage
from tfrecords_tools.sources.folder import Folder
from tfrecords_tools.sources.scenes import Scenes
from tfrecords_tools.validation import with_validation


class Named:
    """Names of images, which do not exist."""

    tag_names = ["tag"]

    def __init__(self, names, **own):
        images = [LabelledImage(name, (0,)) for name in names]
        self.splits = {"train": images, **own, "test": [LabelledImage("test.jpg", (0,))]}


def chosen(source, share=None):
    splits, _ = with_validation(source, share)
    return {image.filename for image in splits["validation"]}


def names(number):
    return [f"{index}.jpg" for index in range(number)]


def test_the_choice_is_a_hash_of_the_composed_name():
    def is_chosen(name):
        composed = unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(b"validation " + composed).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 < 0.3

    decomposed = [unicodedata.normalize("NFD", f"süß {index}.jpg") for index in range(50)]
    not_utf8 = [os.fsdecode(b"\xff%d.jpg" % index) for index in range(50)]
    every = [*names(50), *decomposed, *not_utf8]
    assert chosen(Named(every), 0.3) == {name for name in every if is_chosen(name)}


def test_the_choice_depends_on_neither_order_nor_other_images_nor_changes_the_source():
    source = Named(names(200))
    splits, share = with_validation(source)
    assert (list(splits), share) == (["train", "validation", "test"], 0.1)
    assert sorted(splits["train"] + splits["validation"]) == sorted(source.splits["train"])
    assert splits["train"] == [x for x in source.splits["train"] if x in splits["train"]]
    assert list(source.splits) == ["train", "test"] and len(source.splits["train"]) == 200
    few, many = chosen(source), chosen(Named(names(1000)))
    assert few == many & set(names(200)) < many
    assert few == chosen(Named(reversed(names(200))))


@pytest.mark.parametrize("share", [0.01, 0.99])
@pytest.mark.parametrize("number", [2, 3, 9])
def test_the_smallest_sources_have_images_for_both(number, share):
    assert 1 <= len(chosen(Named(names(number)), share)) < number


def test_one_training_image_is_too_few():
    with pytest.raises(InputError, match=r"0\.jpg"):
        with_validation(Named(names(1)))


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_that_leaves_no_images_is_refused(share):
    with pytest.raises(ValueError, match=f"received {share}"):
        with_validation(Named(names(9)), share)


def test_own_validation_images_are_used_and_no_share_is_taken():
    source = Named(names(100), validation=[LabelledImage("own.jpg", (0,))])
    assert with_validation(source) == (source.splits, None)
    with pytest.raises(InputError):
        with_validation(source, 0.1)
    del source.splits["train"], source.splits["validation"]
    assert with_validation(source) == (source.splits, None)


def test_a_fifth_of_a_folder_is_taken_independently_of_the_test_images(tmp_path):
    (tmp_path / "0.jpg").touch()
    rows = "".join(f"{name},x\n" for name in names(3000))
    (tmp_path / "labels.csv").write_text(f"filename,tags\n{rows}")
    source = Folder(tmp_path, test_share=0.4)
    expected = 0.2 * len(source.splits["train"])
    # Five standard deviations of a binomial distribution.
    assert abs(len(chosen(source)) - expected) < 5 * (0.8 * expected) ** 0.5


def test_scenes_have_their_own_unless_there_are_none():
    sizes = {split: len(items) for split, items in Scenes().splits.items()}
    assert sizes == {"train": 5400, "validation": 600, "test": 1500}
    splits, share = with_validation(Scenes(train=50, validation=0), 0.3)
    assert share == 0.3
    assert {split for split, _ in splits["validation"]} == {"train"}


def test_the_share_is_recorded_and_another_one_is_another_data_set(tmp_path):
    source = Pictures(tmp_path / "in", 10, num_validation=0, num_test=2)
    options = {"name": "pictures", "settings": {}, "workers": 1}
    info = convert(source, tmp_path / "out", validation_share=0.3, **options)
    assert info.settings == {"validation_share": 0.3, "converter_version": 2}
    assert info.splits["train"].num_images + info.splits["validation"].num_images == 10
    with pytest.raises(OtherDataset) as error:
        convert(source, tmp_path / "out", **options)
    assert error.value.field == "settings"
    source = Pictures(tmp_path / "own", 3, num_validation=1, num_test=1)
    info = convert(source, tmp_path / "own out", **options)
    assert info.settings == {"converter_version": 2}
