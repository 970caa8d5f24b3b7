"""NUS-WIDE's folder, both splits, missing images, damaged labels."""

import numpy as np
import pytest
from tfrecords_fixtures import CONCEPTS, nuswide_labels, write_nuswide

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide import NUSWide, load_ground_truth, paper_split


@pytest.fixture
def folder(tmp_path):
    return write_nuswide(tmp_path, num_images=40)


def label_file(folder, concept="boats"):
    return folder / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt"


def expected_items(indices):
    labels = nuswide_labels(40)
    return {
        (f"{['actor', 'zoos'][i % 2]}/{i:04d}_{i * 7}.jpg", tuple(np.flatnonzero(labels[i])))
        for i in indices
        if labels[i].any()
    }


def test_ground_truth_needs_no_images_and_no_lists(folder):
    for path in (folder / "ImageList").iterdir():
        path.unlink()
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
    np.testing.assert_array_equal(paper_split(labels, seed=3)[0], train)
    assert not np.array_equal(paper_split(labels, seed=4)[0], train)


def test_paper_split_drops_untagged_images(folder):
    source = NUSWide(folder, size=8)
    train, test = source.splits["train"], source.splits["test"]
    assert (len(train), len(test)) == (21, 9)  # 30 tagged images, 150,000 of 209,347
    assert set(train) | set(test) == expected_items(range(40))
    assert source.missing == {"train": 0, "test": 0}
    record = source.load(train[0])
    assert (record.filename, record.tag_ids) == train[0]
    assert (record.height, record.width) == (8, 8)


def test_official_split(folder):
    source = NUSWide(folder, split="official")
    assert set(source.splits["train"]) == expected_items(range(24))
    assert set(source.splits["test"]) == expected_items(range(24, 40))


def test_missing_images_are_counted(tmp_path):
    # Of the first 10 images two, 3 and 7, have no tag.
    source = NUSWide(write_nuswide(tmp_path, num_missing=10), split="official")
    assert source.missing == {"train": 8, "test": 0}
    assert set(source.splits["train"]) == expected_items(range(10, 24))
    assert source.settings["missing"] == source.missing


def test_no_images_at_all(tmp_path):
    folder = write_nuswide(tmp_path, num_missing=40)
    with pytest.raises(InputError, match=r"none of the 18 images.*expected for example .*\.jpg"):
        NUSWide(folder, split="official")
    (folder / "Flickr").rename(folder / "images")
    with pytest.raises(InputError, match="Flickr is missing"):
        NUSWide(folder)


def test_label_file_of_another_length(folder):
    path = label_file(folder)
    path.write_text(path.read_text()[:-2])
    with pytest.raises(InputError, match="Labels_boats.txt has 39 lines, expected 40, as the list"):
        NUSWide(folder)
    (folder / "ImageList" / "Imagelist.txt").unlink()
    with pytest.raises(InputError, match="Labels_boats.txt has 39 lines, expected 40, as the oth"):
        load_ground_truth(folder)


@pytest.mark.parametrize("wrong", ["2", "", "01", "a", "-1"])
def test_label_that_is_not_0_or_1(folder, wrong):
    path = label_file(folder)
    lines = path.read_text().split("\n")
    lines[4] = wrong
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=f"boats.txt, line 5: expected 0 or 1, found '{wrong}'"):
        load_ground_truth(folder)


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
