"""A folder of photographs: every form of labels, right and wrong."""

import os
import unicodedata

import pytest
from tfrecords_fixtures import jpeg, write_photographs

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import REJECTED_FILE
from tfrecords_tools.sources.files import LabelledImage
from tfrecords_tools.sources.folder import Folder
from tfrecords_tools.verify import verify

NAMES = [f"{letter}.jpg" for letter in "abcd"]


@pytest.fixture
def folder(tmp_path):
    return write_photographs(tmp_path / "photos", *NAMES)


def labels(folder, text, encoding="utf-8", newline="\n"):
    (folder / "labels.csv").write_bytes(text.replace("\n", newline).encode(encoding))


def listed(folder, *tags):
    """A list of tags for a.jpg, b.jpg and so on."""
    rows = [f"{name},{text}\n" for name, text in zip(NAMES, tags, strict=False)]
    labels(folder, "filename,tags\n" + "".join(rows))


def tags_by_name(source):
    """The names of each image's tags, over all splits."""
    return {
        image.filename: [source.tag_names[tag_id] for tag_id in image.tag_ids]
        for images in source.splits.values()
        for image in images
    }


def filenames(source, split):
    return [image.filename for image in source.splits[split]]


# The table.


@pytest.mark.parametrize("header", ["filename,tags", "Filename,Tag", "filename,tag;tag"])
@pytest.mark.parametrize(("encoding", "newline"), [("utf-8", "\n"), ("utf-8-sig", "\r\n")])
def test_a_list_of_tags(folder, header, encoding, newline):
    labels(folder, f"{header}\na.jpg,dog; cat ;;cat\n\nb.jpg,Übung\n", encoding, newline)
    source = Folder(folder)
    assert source.tag_names == ["cat", "dog", "Übung"]
    assert tags_by_name(source) == {"a.jpg": ["cat", "dog"], "b.jpg": ["Übung"]}


def test_a_column_for_each_tag(folder):
    rows = "a.jpg,1,0,-1\nb.jpg,,1.0,False\nc.jpg,0,0,-1\nd.jpg,0,1,True\n"
    labels(folder, f"filename,dog,cat,never\n{rows}")
    source = Folder(folder)
    # The order is that of the columns.
    assert source.tag_names == ["dog", "cat", "never"]
    assert tags_by_name(source) == {"a.jpg": ["dog"], "b.jpg": ["cat"], "d.jpg": ["cat", "never"]}
    images = [image for part in source.splits.values() for image in part]
    assert LabelledImage("a.jpg", (0,), unknown_ids=(2,)) in images


def test_names_with_commas_folders_and_backslashes(folder):
    write_photographs(folder, "2023/cat, asleep.jpg", "2024/x.jpg", "2024/y.jpg")
    labels(folder, 'filename,tags\n"2023\\cat, asleep.jpg","cat;bed"\n./2024//x.jpg,dog\n')
    assert tags_by_name(Folder(folder)) == {
        "2023/cat, asleep.jpg": ["bed", "cat"],
        "2024/x.jpg": ["dog"],
    }


def test_decomposed_names_and_tags_are_the_composed_ones(folder):
    decomposed = unicodedata.normalize("NFD", "süß.jpg")
    write_photographs(folder, decomposed)
    labels(folder, f"filename,tags\nsüß.jpg,café;{unicodedata.normalize('NFD', 'café')}\na.jpg,x\n")
    source = Folder(folder)
    assert tags_by_name(source) == {decomposed: ["café"], "a.jpg": ["x"]}
    (note,) = source.notes
    assert note.endswith(": 3 ('b.jpg', 'c.jpg', 'd.jpg')")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ", line 1: expected"),
        ("a.jpg,cat\n", ", line 1: expected"),
        ("filename;tags\na.jpg;cat\n", ", line 1: the columns are separated by semicolons"),
        ("filename\ttags\na.jpg\tcat\n", ", line 1: the columns are separated by tabs"),
        ("filename\na.jpg\n", ", line 1: no column of tags"),
        ("filename,split\na.jpg,train\n", ", line 1: no column of tags"),
        ("filename,cat,cat\n", ", line 1: the column 'cat'"),
        (",filename,cat\n", ", line 1: column 1"),
        ("filename,tags,author\n", ", line 1: "),
        ("filename,tags\n", " has a header but no lines"),
        ("filename,tags\na.jpg,cat,dog\n", ", line 2: found 3 columns, expected 2"),
        ("filename,tags\na.jpg\n", ", line 2: found 1 columns, expected 2"),
        ("filename,tags\na.jpg,x\n\n ,cat\n", ", line 4: "),
        ('filename,tags\n"a.jpg",x\n"b.jpg,x\nc.jpg,x\n', ", line 3: "),
        ("filename,tags\na.jpg,x\n./a.jpg,y\n", ", line 3: 'a.jpg' is in line 2"),
        ("filename,cat\na.jpg,yes\n", ", line 2: found 'yes' in the column 'cat'"),
        ("filename,tags,split\na.jpg,x,dev\n", ", line 2: found split 'dev'"),
        ("filename,tags,split\na.jpg,x,train\nb.jpg,x,\n", ", line 3: found split ''"),
    ],
)
def test_a_malformed_table_is_named_with_the_line(folder, text, place):
    labels(folder, text)
    with pytest.raises(InputError, match=f"labels.csv{place}"):
        Folder(folder)


@pytest.mark.parametrize(
    ("encoding", "tag", "line"),
    [("latin-1", "café", 3), ("utf-16", "café", 1), ("utf-16-le", "coffee", 1)],
)
def test_a_table_in_another_encoding_is_refused(folder, encoding, tag, line):
    labels(folder, f"filename,tags\na.jpg,dog\nb.jpg,{tag}\n", encoding)
    with pytest.raises(InputError, match=f"line {line}: not UTF-8"):
        Folder(folder)


# Text files.


def test_text_files_beside_images(tmp_path):
    folder = write_photographs(
        tmp_path, "a.jpg", "trip/b.JPG", "trip/c.v2.png", "none.jpg", ".a.jpg", ".thumbs/e.jpg"
    )
    (folder / "a.txt").write_text("dog\ncat\n\n", encoding="utf-8-sig")
    (folder / "trip" / "b.txt").write_text("cat, big dog ;sea\r\n")
    (folder / "trip" / "c.v2.TXT").write_text("sea")
    (folder / "readme.txt").write_text("about this folder")
    for hidden in (".a.txt", ".thumbs/e.txt"):
        (folder / hidden).write_text("hidden")
    source = Folder(folder)
    assert source.tag_names == ["big dog", "cat", "dog", "sea"]
    assert tags_by_name(source) == {
        "a.jpg": ["cat", "dog"],
        "trip/b.JPG": ["big dog", "cat", "sea"],
        "trip/c.v2.png": ["sea"],
    }
    texts, images = source.notes
    assert texts.endswith(": 1 ('readme.txt')") and images.endswith(": 1 ('none.jpg')")


def test_folders_behind_links_are_not_read(tmp_path):
    outside = write_photographs(tmp_path / "outside", "secret.jpg")
    (outside / "secret.txt").write_text("secret")
    folder = write_photographs(tmp_path / "photos", "a.jpg", "b.jpg")
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("cat")
    (folder / "link").symlink_to(outside)
    assert set(tags_by_name(Folder(folder))) == {"a.jpg", "b.jpg"}


def test_a_folder_without_labels_or_no_folder_at_all(folder, tmp_path):
    with pytest.raises(InputError, match=r"photos holds 4 images.* labels\.csv"):
        Folder(folder)
    with pytest.raises(InputError, match="nowhere is not a folder"):
        Folder(tmp_path / "nowhere")


# Tags.


def test_a_vocabulary_fixes_the_tags_and_their_order(folder):
    (folder / "tags.txt").write_text("sea\n\ndog\ncat\n")
    listed(folder, "cat;dog", "dog")
    source = Folder(folder)
    assert source.tag_names == ["sea", "dog", "cat"]
    assert tags_by_name(source) == {"a.jpg": ["dog", "cat"], "b.jpg": ["dog"]}
    listed(folder, "cat", "dgo")
    with pytest.raises(InputError, match=r"labels\.csv, line 3: the tag 'dgo'"):
        Folder(folder)
    (folder / "tags.txt").write_text("sea\ndog\nsea\n")
    with pytest.raises(InputError, match=r"tags\.txt, line 3: 'sea' is in line 1"):
        Folder(folder)
    # It applies to text files too.
    (folder / "tags.txt").write_text("dog\ncat\n")
    (folder / "labels.csv").unlink()
    for name, tags in (("a", "cat"), ("b", "cat;bird")):
        (folder / f"{name}.txt").write_text(tags)
    with pytest.raises(InputError, match=r"b\.txt: the tag 'bird'"):
        Folder(folder)


def test_case_is_kept_and_tags_that_differ_in_it_are_noted(folder):
    listed(folder, "Cat", "cat", "dog", "CAT;Dog")
    source = Folder(folder)
    assert source.tag_names == ["CAT", "Cat", "Dog", "cat", "dog"]
    assert source.notes[0].endswith("case only: 5 ('CAT', 'Cat', 'Dog', ...)")


def test_images_without_tags_are_left_out_and_noted_or_kept(folder):
    listed(folder, "cat", "", "dog", " ; ")
    source = Folder(folder)
    assert set(tags_by_name(source)) == {"a.jpg", "c.jpg"}
    assert source.notes[0].endswith(": 2 ('b.jpg', 'd.jpg')")
    assert set(tags_by_name(Folder(folder, keep_untagged=True))) == set(NAMES)
    for tags in (("", ""), ("cat", "")):
        listed(folder, *tags)
        with pytest.raises(InputError, match="photos: found [01] images with tags"):
            Folder(folder)


# Missing images.


def test_a_few_missing_images_are_noted_and_rejected(folder, tmp_path):
    listed(folder, "cat", "dog", "cat", "dog;cat")
    (folder / "b.jpg").unlink()
    write_photographs(folder, "extra.png")
    source = Folder(folder, size=8)
    missing, without = source.notes
    assert missing.endswith(": 1 ('b.jpg')") and without.endswith(": 1 ('extra.png')")
    records = tmp_path / "records"
    info = convert(source, records, name="folder", settings=source.settings, workers=1)
    assert sum(split.num_images for split in info.splits.values()) == 3
    assert "b.jpg" in (records / REJECTED_FILE).read_text()
    assert verify(records).findings == []


def test_if_no_image_exists_it_is_an_error(folder):
    labels(folder, "filename,tags\na,cat\nb,dog\n")
    with pytest.raises(InputError, match=r"labels\.csv: none of its 2 images .* 'a'"):
        Folder(folder)


def test_names_that_lead_out_of_the_folder_are_refused(folder, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(jpeg(0))
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    labels(folder, "filename,tags\n../secret.jpg,cat\nlink.jpg,cat\na.jpg,cat\n")
    source = Folder(folder)
    for split in source.splits.values():
        for image in split:
            if image.filename != "a.jpg":
                with pytest.raises(InputError, match="is refused"):
                    source.load(image)


@pytest.mark.skipif(os.name != "posix", reason="names that are not Unicode")
def test_a_name_that_is_not_utf8_is_rejected_alone(tmp_path):
    folder = write_photographs(tmp_path / "photos", *NAMES)
    for name in "abcd":
        (folder / f"{name}.txt").write_text("cat")
    for suffix, content in ((b".jpg", jpeg(1)), (b".txt", b"cat")):
        with open(os.fsencode(folder) + b"/\xff" + suffix, "wb") as file:
            file.write(content)
    source = Folder(folder, size=8)
    info = convert(source, tmp_path / "records", name="x", settings={}, workers=1)
    assert [split.num_rejected for split in info.splits.values()].count(1) == 1
    assert sum(split.num_images for split in info.splits.values()) == 4


# Splits.


def test_a_column_names_the_splits(folder):
    labels(folder, "filename,split,tags\na.jpg,test,x\nb.jpg,Train,x\nc.jpg,val,x\nd.jpg,train,x\n")
    source = Folder(folder)
    assert {split: filenames(source, split) for split in source.splits} == {
        "train": ["b.jpg", "d.jpg"],
        "validation": ["c.jpg"],
        "test": ["a.jpg"],
    }
    assert source.settings["split"] == "column"


def test_folders_name_the_splits(tmp_path):
    names = ["train/a.jpg", "train/x/b.jpg", "test/c.jpg", "val/d.jpg"]
    folder = write_photographs(tmp_path, *names)
    labels(folder, "filename,tags\n" + "".join(f"{name},x\n" for name in names))
    source = Folder(folder)
    assert filenames(source, "train") == names[:2]
    assert filenames(source, "validation") == ["val/d.jpg"]
    assert source.settings["split"] == "folders"
    # An image outside of them could be in either.
    write_photographs(folder, "stray.jpg")
    labels(folder, "filename,tags\n" + "".join(f"{name},x\n" for name in [*names, "stray.jpg"]))
    with pytest.raises(InputError, match=r"'stray\.jpg'"):
        Folder(folder)


def test_a_folder_of_pictures_of_trains_is_no_split(tmp_path):
    names = ["train/a.jpg", "boat/b.jpg"]
    labels(write_photographs(tmp_path, *names), "filename,tags\ntrain/a.jpg,x\nboat/b.jpg,x\n")
    assert Folder(tmp_path).settings["split"] == "file names"


@pytest.mark.parametrize(("split", "empty"), [("train", "test"), ("test", "train")])
def test_an_empty_split_is_refused(folder, split, empty):
    labels(folder, f"filename,tags,split\na.jpg,x,{split}\nb.jpg,x,{split}\n")
    with pytest.raises(InputError, match=f"photos: .* '{empty}'"):
        Folder(folder)


def many_images(folder, num_images, test_share=0.1):
    names = [f"{index}.jpg" for index in range(num_images)]
    labels(folder, "filename,tags\n" + "".join(f"{name},x\n" for name in names))
    source = Folder(folder, test_share=test_share)
    return {split: set(filenames(source, split)) for split in source.splits}


def test_adding_images_moves_none_to_another_split(tmp_path):
    folder = write_photographs(tmp_path, "0.jpg")
    few, many = many_images(folder, 200), many_images(folder, 1000)
    assert few["train"] < many["train"]
    assert few["test"] < many["test"]


def test_the_share_of_test_images_is_about_the_given_one(tmp_path):
    splits = many_images(write_photographs(tmp_path, "0.jpg"), 3000, 0.3)
    # Five standard deviations of a binomial distribution.
    assert abs(len(splits["test"]) - 900) < 5 * (900 * 0.7) ** 0.5


@pytest.mark.parametrize("test_share", [0.01, 0.99])
@pytest.mark.parametrize("num_images", [2, 3, 9])
def test_the_smallest_folders_have_images_for_both(tmp_path, num_images, test_share):
    splits = many_images(write_photographs(tmp_path, "0.jpg"), num_images, test_share)
    assert len(splits["train"]) >= 1
    assert len(splits["test"]) >= 1


@pytest.mark.parametrize("test_share", [0, 1, -0.1, float("nan")])
def test_a_share_that_leaves_no_images_is_refused(folder, test_share):
    with pytest.raises(ValueError, match=f"received {test_share}"):
        Folder(folder, test_share=test_share)
