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


def listed(folder, *tags, names=NAMES):
    """A list of tags for a.jpg, b.jpg and so on."""
    rows = "".join(f"{name},{text}\n" for name, text in zip(names, tags, strict=False))
    labels(folder, f"filename,tags\n{rows}")


def tags_by_name(source):
    """The names of each image's tags, over all splits."""
    return {
        image.filename: [source.tag_names[tag_id] for tag_id in image.tag_ids]
        for images in source.splits.values()
        for image in images
    }


def filenames(source):
    return {name: [image.filename for image in part] for name, part in source.splits.items()}


# The table.


@pytest.mark.parametrize("header", ["filename,tags", "Filename,Tag", "filename,tag;tag"])
@pytest.mark.parametrize(("encoding", "newline"), [("utf-8", "\n"), ("utf-8-sig", "\r\n")])
def test_a_list_of_tags(folder, header, encoding, newline):
    labels(folder, f"{header}\na.jpg,dog; cat ;;cat\n\nb.jpg,Übung\n", encoding, newline)
    source = Folder(folder)
    assert source.tag_names == ["cat", "dog", "Übung"]
    assert tags_by_name(source) == {"a.jpg": ["cat", "dog"], "b.jpg": ["Übung"]}


def test_a_column_per_tag(folder):
    rows = "a.jpg,1,0,-1\nb.jpg,,1.0,False\nc.jpg,0,0,-1\nd.jpg,0,1,True\n"
    labels(folder, f"filename,dog,cat,never\n{rows}")
    source = Folder(folder)
    # In the order of the columns.
    assert source.tag_names == ["dog", "cat", "never"]
    assert tags_by_name(source) == {"a.jpg": ["dog"], "b.jpg": ["cat"], "d.jpg": ["cat", "never"]}
    images = [image for part in source.splits.values() for image in part]
    assert LabelledImage("a.jpg", (0,), unknown_ids=(2,)) in images


def test_names_with_commas_folders_and_backslashes_in_any_unicode_form(folder):
    decomposed = unicodedata.normalize("NFD", "süß.jpg")
    write_photographs(folder, "2023/cat, asleep.jpg", "2024/x.jpg", decomposed)
    tags = f"café;{unicodedata.normalize('NFD', 'café')}"
    labels(
        folder,
        f'filename,tags\n"2023\\cat, asleep.jpg","cat;bed"\n./2024//x.jpg,dog\nsüß.jpg,{tags}\n',
    )
    source = Folder(folder)
    assert tags_by_name(source) == {
        "2023/cat, asleep.jpg": ["bed", "cat"],
        "2024/x.jpg": ["dog"],
        decomposed: ["café"],
    }
    (note,) = source.notes
    assert note.endswith(": 4 ('a.jpg', 'b.jpg', 'c.jpg', ...)")


@pytest.mark.parametrize(
    "rows",
    [
        "filename,tags\na.jpg,x;y\nb.jpg,x\n./a.jpg,y; x;x\n",
        "filename,x,y,split\na.jpg,1,1,train\nb.jpg,1,,test\n\na.jpg,1.0,True,Train\n",
    ],
)
def test_lines_that_repeat_another_are_read_once_and_noted(folder, rows):
    labels(folder, rows)
    source = Folder(folder)
    assert tags_by_name(source) == {"a.jpg": ["x", "y"], "b.jpg": ["x"]}
    assert source.notes[0].endswith(": 1 ('a.jpg')")


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
        ("filename,x,y\na.jpg,1,0\na.jpg,1,-1\n", ", line 3: 'a.jpg' is in line 2"),
        ("filename,tags,split\na.jpg,x,train\na.jpg,x,val\n", ", line 3: 'a.jpg' is in line 2"),
        ("filename,cat\na.jpg,yes\n", ", line 2: found 'yes' in the column 'cat'"),
        ("filename,tags,split\na.jpg,x,dev\n", ", line 2: found split 'dev'"),
        ("filename,tags,split\na.jpg,x,train\nb.jpg,x,\n", ", line 3: found split ''"),
        ("filename,tags\na,cat\nb,dog\n", ": none of its 2 images exists.* 'a'"),
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
        tmp_path / "photos",
        *("a.jpg", "trip/b.JPG", "trip/c.v2.png", "none.jpg", ".a.jpg", ".thumbs/e.jpg"),
    )
    (folder / "a.txt").write_text("dog\ncat\n\n", encoding="utf-8-sig")
    (folder / "trip" / "b.txt").write_text("cat, big dog ;sea\r\n")
    (folder / "trip" / "c.v2.TXT").write_text("sea")
    (folder / "readme.txt").write_text("about this folder")
    outside = write_photographs(tmp_path / "outside", "secret.jpg")
    (folder / "link").symlink_to(outside)
    # Neither hidden files nor folders behind links are read.
    for path in (folder / ".a.txt", folder / ".thumbs" / "e.txt", outside / "secret.txt"):
        path.write_text("hidden")
    source = Folder(folder)
    assert source.tag_names == ["big dog", "cat", "dog", "sea"]
    assert tags_by_name(source) == {
        "a.jpg": ["cat", "dog"],
        "trip/b.JPG": ["big dog", "cat", "sea"],
        "trip/c.v2.png": ["sea"],
    }
    texts, images = source.notes
    assert texts.endswith(": 1 ('readme.txt')") and images.endswith(": 1 ('none.jpg')")


def test_a_folder_without_labels_or_no_folder_at_all(folder, tmp_path):
    with pytest.raises(InputError, match=r"photos holds 4 images.* labels\.csv"):
        Folder(folder)
    with pytest.raises(InputError, match="nowhere is not a folder"):
        Folder(tmp_path / "nowhere")


def test_text_files_of_any_unicode_form_and_regular_ones_only(folder):
    composed, decomposed = (unicodedata.normalize(form, "süß") for form in ("NFC", "NFD"))
    write_photographs(folder, f"{decomposed}.jpg")
    (folder / f"{composed}.txt").write_text("sweet")
    (folder / "a.txt").write_text("dog")
    assert tags_by_name(Folder(folder)) == {f"{decomposed}.jpg": ["sweet"], "a.jpg": ["dog"]}
    os.mkfifo(folder / "b.txt")
    with pytest.raises(InputError, match=r"b\.txt .*regular"):
        Folder(folder)
    os.mkfifo(folder / "labels.csv")
    with pytest.raises(InputError, match=r"labels\.csv .*regular"):
        Folder(folder)


def test_a_pipe_among_the_images_is_rejected_alone(folder, tmp_path):
    listed(folder, "cat", "dog", "cat", "dog")
    (folder / "d.jpg").unlink()
    os.mkfifo(folder / "d.jpg")
    source = Folder(folder, size=8)
    records = tmp_path / "records"
    info = convert(source, records, name="folder", settings={}, workers=1)
    assert sum(split.num_images for split in info.splits.values()) == 3
    assert "d.jpg is not a regular file" in (records / REJECTED_FILE).read_text()


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
    # It applies to text files too.
    (folder / "labels.csv").unlink()
    for name, tags in (("a", "cat"), ("b", "cat;bird")):
        (folder / f"{name}.txt").write_text(tags)
    with pytest.raises(InputError, match=r"b\.txt: the tag 'bird'"):
        Folder(folder)
    (folder / "tags.txt").write_text("sea\ndog\nsea\n")
    with pytest.raises(InputError, match=r"tags\.txt, line 3: 'sea' is in line 1"):
        Folder(folder)


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


# Images that are missing or without a proper name.


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


@pytest.mark.skipif(os.name != "posix", reason="names that are not Unicode")
def test_a_name_that_is_not_utf8_is_rejected_alone(folder, tmp_path):
    for name in (b"a", b"b", b"c", b"d", b"\xff"):
        for suffix, content in ((b".jpg", jpeg(1)), (b".txt", b"cat")):
            with open(os.fsencode(folder) + b"/" + name + suffix, "wb") as file:
                file.write(content)
    info = convert(Folder(folder, size=8), tmp_path / "out", name="x", settings={}, workers=1)
    assert [split.num_rejected for split in info.splits.values()].count(1) == 1
    assert sum(split.num_images for split in info.splits.values()) == 4


# Splits.


def test_a_column_defines_the_splits(folder):
    labels(folder, "filename,split,tags\na.jpg,test,x\nb.jpg,Train,x\nc.jpg,val,x\nd.jpg,train,x\n")
    source = Folder(folder)
    splits = {"train": ["b.jpg", "d.jpg"], "validation": ["c.jpg"], "test": ["a.jpg"]}
    assert filenames(source) == splits
    assert source.settings["split"] == "column"
    for split, empty in (("train", "test"), ("test", "train")):
        labels(folder, f"filename,tags,split\na.jpg,x,{split}\nb.jpg,x,{split}\n")
        with pytest.raises(InputError, match=f"photos: .* '{empty}'"):
            Folder(folder)


def test_folders_define_the_splits(tmp_path):
    names = ["train/a.jpg", "train/x/b.jpg", "test/c.jpg", "val/d.jpg", "stray.jpg"]
    folder = write_photographs(tmp_path, *names)
    listed(folder, *"xxxx", names=names[:4])
    source = Folder(folder)
    splits = {"train": names[:2], "validation": ["val/d.jpg"], "test": ["test/c.jpg"]}
    assert filenames(source) == splits
    assert source.settings["split"] == "folders"
    # An image outside of them could be in any.
    listed(folder, *"xxxxx", names=names)
    with pytest.raises(InputError, match=r"'stray\.jpg'"):
        Folder(folder)
    # Pictures of trains are not a split.
    listed(folder, *"xx", names=["train/a.jpg", "stray.jpg"])
    assert Folder(folder).settings["split"] == "file names"


def split_by_name(folder, num_images, test_share=0.1):
    write_photographs(folder, "0.jpg")
    listed(folder, *"x" * num_images, names=[f"{index}.jpg" for index in range(num_images)])
    source = Folder(folder, test_share=test_share)
    return {split: set(names) for split, names in filenames(source).items()}


def test_file_names_define_the_splits(tmp_path):
    few, many = split_by_name(tmp_path, 200, 0.3), split_by_name(tmp_path, 3000, 0.3)
    # Adding images moves none of the others.
    assert few["train"] < many["train"] and few["test"] < many["test"]
    # Five standard deviations of a binomial distribution.
    assert abs(len(many["test"]) - 900) < 5 * (900 * 0.7) ** 0.5


@pytest.mark.parametrize("test_share", [0.01, 0.99])
@pytest.mark.parametrize("num_images", [2, 3, 9])
def test_the_smallest_folders_have_images_for_both(tmp_path, num_images, test_share):
    splits = split_by_name(tmp_path, num_images, test_share)
    assert len(splits["train"]) >= 1 and len(splits["test"]) >= 1
