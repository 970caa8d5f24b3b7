"""NUS-WIDE's folder: both splits, missing images, damaged labels, what is not the ground truth."""

import shutil

import numpy as np
import pytest
from tfrecords_fixtures import CONCEPTS, nuswide_filenames, nuswide_labels, write_nuswide

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.files import LabelledImage
from tfrecords_tools.sources.nuswide import NUSWide, load_ground_truth, paper_split


@pytest.fixture
def folder(tmp_path):
    return write_nuswide(tmp_path, num_images=40)


def label_file(folder, concept="boats"):
    return folder / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt"


def expected_items(indices):
    filenames, labels = nuswide_filenames(40), nuswide_labels(40)
    return {
        LabelledImage(filenames[i], tuple(np.flatnonzero(labels[i]).tolist()))
        for i in indices
        if labels[i].any()
    }


def change_lines(path, change):
    path.write_bytes("\n".join(change(path.read_text().splitlines())).encode())


def test_ground_truth_needs_no_images_and_no_lists(folder):
    shutil.rmtree(folder / "ImageList")
    path = label_file(folder)
    path.write_bytes(path.read_bytes().replace(b"\n", b" \r\n").rstrip())
    tag_names, labels = load_ground_truth(folder)
    assert tag_names == CONCEPTS
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, nuswide_labels(40))


def test_paper_split_of_the_real_size():
    labels = np.ones((269_648, 1), np.uint8)
    labels[209_347:] = 0
    train, test = paper_split(labels, seed=3)
    assert (len(train), len(test)) == (150_000, 59_347)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(209_347))


def test_splits_are_of_tagged_images_in_an_order_that_depends_on_the_seed(folder):
    source = NUSWide(folder, size=8)
    train, test = source.splits["train"], source.splits["test"]
    assert (len(train), len(test)) == (21, 9)  # 30 tagged images, 150,000 of 209,347
    assert set(train) | set(test) == expected_items(range(40))
    assert (source.missing, source.notes) == ({"train": 0, "test": 0}, [])
    record = source.load(train[0])
    assert (record.filename, record.tag_ids, record.height) == (*train[0][:2], 8)
    # Two images with one photo id, in two categories.
    tags = {item.filename: item.tag_ids for item in train + test}
    assert (tags["actor/0000_0.jpg"], tags["zoos/0037_0.jpg"]) == ((0,), (1,))

    official = NUSWide(folder, split="official")
    assert set(official.splits["train"]) == expected_items(range(24))
    assert set(official.splits["test"]) == expected_items(range(24, 40))
    for split in ("paper", "official"):
        first, again, other = (NUSWide(folder, split=split, seed=seed) for seed in (1, 1, 2))
        assert first.splits == again.splits
        assert first.splits != other.splits
    with pytest.raises(ValueError, match="received 'other'"):
        NUSWide(folder, split="other")


def test_missing_images_are_counted(folder):
    for name in nuswide_filenames(40)[:10]:  # of which two, 3 and 7, have no tag
        (folder / "Flickr" / name).unlink()
    source = NUSWide(folder, split="official")
    assert source.missing == source.settings["missing"] == {"train": 8, "test": 0}
    assert set(source.splits["train"]) == expected_items(range(10, 24))
    assert len(source.notes) == 1 and source.notes[0].startswith("train: 8 ")
    shutil.rmtree(folder / "Flickr" / "actor")
    shutil.rmtree(folder / "Flickr" / "zoos")
    with pytest.raises(InputError, match=r"Flickr .*18 images.*\.jpg"):
        NUSWide(folder, split="official")
    (folder / "Flickr").rmdir()
    with pytest.raises(InputError, match="Flickr is missing"):
        NUSWide(folder)


def test_label_file_of_another_length(folder):
    path = label_file(folder)
    path.write_text(path.read_text()[:-2])
    for _ in range(2):
        with pytest.raises(InputError, match=r"Labels_boats\.txt has 39 lines, expected 40"):
            load_ground_truth(folder)
        # Without the list, the other label files decide.
        (folder / "ImageList" / "Imagelist.txt").unlink(missing_ok=True)


@pytest.mark.parametrize("wrong", ["2", "", "01", "a", "-1", "1 2"])
def test_label_that_is_not_0_or_1(folder, wrong):
    change_lines(label_file(folder), lambda lines: [*lines[:4], wrong, *lines[5:]])
    with pytest.raises(InputError, match=rf"boats\.txt, line 5: .*'{wrong}'"):
        load_ground_truth(folder)


@pytest.mark.parametrize("split", ["paper", "official"])
def test_labels_without_a_single_tag_are_refused(folder, split):
    for path in (folder / "Groundtruth").glob("*/*.txt"):
        path.write_text(path.read_text().replace("1", "0"))
    with pytest.raises(InputError, match="train split"):
        NUSWide(folder, split=split)


@pytest.mark.parametrize(
    "missing",
    [
        "ConceptsList/Concepts81.txt",
        "ImageList/Imagelist.txt",
        "Groundtruth/AllLabels/Labels_clouds.txt",
    ],
)
def test_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"{missing} is missing"):
        NUSWide(folder)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("actor\\0000_0.jpg", r", lines 1 and 6 .*actor/0000_0\.jpg"),
        ("0005_35.jpg", ", line 6: "),
        ("..\\0005_35.jpg", ", line 6: "),
        ("C:\\Flickr\\zoos\\0005_35.jpg", ", line 6: "),
        ("actor\\0001_\udcff.jpg", " is not text: byte "),
    ],
)
def test_wrong_line_in_the_list_of_images(folder, line, place):
    path = folder / "ImageList" / "Imagelist.txt"
    lines = path.read_text().splitlines()
    text = "\n".join([*lines[:5], line, *lines[6:]])
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=rf"Imagelist\.txt{place}"):
        NUSWide(folder)


def test_an_image_in_both_official_lists(folder):
    path = folder / "ImageList" / "TestImagelist.txt"
    change_lines(path, lambda lines: [*lines[:-1], "actor\\0000_0.jpg"])
    with pytest.raises(InputError, match=r"actor/0000_0\.jpg .*TestImagelist.*TrainImagelist"):
        NUSWide(folder, split="official")


NOISY_LINE = "0 1 0 " * 27 + "\n"


@pytest.mark.parametrize("place", [".", "NUS_WID_Tags", "Groundtruth", "Groundtruth/AllLabels"])
def test_noisy_tags_instead_of_the_label_files_are_refused(folder, place):
    (folder / place).mkdir(exist_ok=True)
    (folder / place / "Train_Tags81.txt").write_text(NOISY_LINE * 40)
    # Beside the ground truth they do no harm.
    NUSWide(folder)
    if place.startswith("Groundtruth"):
        label_file(folder).unlink()
    else:
        shutil.rmtree(folder / "Groundtruth")
    for read in (NUSWide, load_ground_truth):
        with pytest.raises(InputError, match=r"Train_Tags81\.txt is not the ground truth"):
            read(folder)


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_noisy_tags_under_the_name_of_a_label_file_are_refused(folder, separator):
    label_file(folder).write_text(NOISY_LINE.replace(" ", separator) * 40)
    with pytest.raises(InputError, match=r"boats\.txt, line 1: .*found 81.* noisy tags"):
        NUSWide(folder)
