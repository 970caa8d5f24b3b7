"""NUS-WIDE's low-level features: the same images as the source's, exact values, what is wrong."""

import json
import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from tfrecords_fixtures import (
    CONCEPTS,
    nuswide_features,
    nuswide_filenames,
    nuswide_labels,
    write_nuswide,
    write_nuswide_features,
)

from tfrecords_tools import nuswide_commands
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide import NUSWide, load_features, write_features


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_nuswide_features(write_nuswide(tmp_path_factory.mktemp("release")))


@pytest.fixture(scope="module")
def arrays(release, tmp_path_factory):
    """What the command writes for the paper's split with the seed 5."""
    output = tmp_path_factory.mktemp("arrays")
    write_features(release, output, seed=5)
    return output


@pytest.fixture
def folder(release, tmp_path):
    """A copy to damage, without images."""
    ignored = shutil.ignore_patterns("Flickr")
    return shutil.copytree(release, tmp_path / "NUS-WIDE", ignore=ignored)


@pytest.mark.parametrize(("split", "seed"), [("paper", 0), ("paper", 5), ("official", 0)])
def test_rows_are_the_images_of_the_source_in_its_order(release, folder, tmp_path, split, seed):
    source = NUSWide(release, split=split, seed=seed)
    # Line ends and blanks do not matter.
    for path in (folder / "Low_Level_Features").glob("*Train*"):
        text = path.read_text().replace("\n", "\r\n").replace(" ", "  ")
        path.write_bytes(f"\r\n{text}\r\n \r\n".encode())
    features = write_features(folder, tmp_path / "out", split, seed)

    assert features.tag_names == source.tag_names == CONCEPTS
    rows = {filename: row for row, filename in enumerate(nuswide_filenames(40))}
    for name, part in (("train", features.train), ("test", features.test)):
        assert part.filenames == [item.filename for item in source.splits[name]]
        order = [rows[filename] for filename in part.filenames]
        assert (part.features.dtype, part.labels.dtype) == (np.float32, np.uint8)
        np.testing.assert_array_equal(part.features, nuswide_features(40)[order])
        np.testing.assert_array_equal(part.labels, nuswide_labels(40)[order])


def test_the_description_has_columns_settings_and_origin(release, arrays):
    info = json.loads((arrays / "features_info.json").read_text())
    assert (info["split"], info["seed"], info["normalization"]) == ("paper", 5, "none")
    columns = load_features(arrays).columns
    assert {name: (part.start, part.stop) for name, part in columns.items()} == {
        "CH": (0, 64),
        "CORR": (64, 208),
        "EDH": (208, 281),
        "WT": (281, 409),
        "CM55": (409, 634),
        "BoW": (634, 1134),
    }
    assert info["sources"] == {
        f"Low_Level_Features/{path.name}": path.stat().st_size
        for path in (release / "Low_Level_Features").iterdir()
    }
    files = ("features.npy", "filenames.txt", "labels.npy")
    names = {f"{split}_{file}" for split in ("train", "test") for file in files}
    assert {path.name for path in arrays.iterdir()} == {"features_info.json", *names}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda line: line.split(" ", 1)[1], "64 to 63 at row 7"),
        (lambda line: f"0 {line}", "64 to 65 at row 7"),
        (lambda line: line.replace(" ", " x", 1), "'x.*row 6, column 2"),
        (lambda line: f"nan {line.split(' ', 1)[1]}", "nan at row 7, column 1"),
        (lambda line: f"1e39 {line.split(' ', 1)[1]}", "inf at row 7, column 1"),
        (lambda line: "", "found 15 rows"),
        (lambda line: f"{line}\n{line}", "found 17 rows"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_left_behind(folder, tmp_path, change, found):
    path = folder / "Low_Level_Features" / "Test_Normalized_CH.dat"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:6], change(lines[6]), *lines[7:]]))
    with pytest.raises(InputError, match=rf"Test_Normalized_CH\.dat: .*{found}"):
        write_features(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_without_features_is_named(folder, tmp_path):
    path = folder / "ImageList" / "TestImagelist.txt"
    path.write_text(path.read_text().replace("0024_24", "9999_24"))
    with pytest.raises(InputError, match=r"actor/0024_24\.jpg is in .*Imagelist\.txt"):
        write_features(folder, tmp_path / "out")


def test_interrupted_work_leaves_nothing_and_can_be_done_again(release, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(np, "loadtxt", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_features(release, output)
    assert not output.exists()
    output.mkdir()
    # What a killed process leaves.
    (output / ".partial-1234-train_features.npy").write_bytes(b"half")
    with pytest.raises(InputError, match=r"holds no features_info\.json"):
        load_features(output)
    features = write_features(release, output)
    assert not list(output.glob(".partial-*"))
    with pytest.raises(ValueError, match="read-only"):
        features.train.features[0, 0] = 1
    # Existing arrays are not replaced.
    with pytest.raises(InputError, match=r"out holds features_info\.json already"):
        write_features(release, output, seed=1)


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes")
def test_an_output_that_cannot_be_written_is_noticed_before_the_work(release, tmp_path):
    """A limit on a file's size makes writing fail as a full disk does."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(InputError, match="out cannot be written: File too large"):
            write_features(release, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file cannot be written"):
        write_features(release, tmp_path / "file")


def reshape(path):
    features = np.load(path)
    np.save(path, features.reshape(-1, 2 * len(features)))


@pytest.mark.parametrize(
    ("file", "damage", "found"),
    [
        ("test_labels.npy", lambda path: path.unlink(), "test_labels"),
        ("test_features.npy", lambda path: os.truncate(path, 1000), "test_features"),
        ("test_features.npy", reshape, "test: "),
        ("test_labels.npy", lambda path: path.write_bytes(b"x" * path.stat().st_size), "pickled"),
        ("train_filenames.txt", lambda path: path.write_bytes(b"x" * path.stat().st_size), "train"),
        ("features_info.json", lambda path: path.write_text('{"tag_names": ["sky"]}'), "features"),
        ("features_info.json", lambda path: path.write_text("{"), "line 1"),
    ],
)
def test_damaged_arrays_are_refused(arrays, tmp_path, file, damage, found):
    damaged = shutil.copytree(arrays, tmp_path / "damaged")
    damage(damaged / file)
    with pytest.raises(InputError, match=f"damaged.* is damaged .*{found}"):
        load_features(damaged)


def test_the_command(release, tmp_path):
    arguments = ["--input", str(release), "--output", str(tmp_path / "out"), "--split", "official"]
    result = CliRunner().invoke(nuswide_commands.nuswide_features, arguments)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{tmp_path}/out/train_*: 18 images, 1,134 features, 3 tags",
        f"{tmp_path}/out/test_*: 12 images, 1,134 features, 3 tags",
    ]
