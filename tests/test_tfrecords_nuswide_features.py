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

from tfrecords_tools.errors import InputError
from tfrecords_tools.nuswide_commands import nuswide_features as command
from tfrecords_tools.sources.nuswide import NUSWide, load_features, write_features

FILES = ("features.npy", "filenames.txt", "labels.npy")


@pytest.fixture
def folder(tmp_path):
    return write_nuswide_features(write_nuswide(tmp_path))


@pytest.fixture
def without_images(folder):
    shutil.rmtree(folder / "Flickr")
    return folder


@pytest.mark.parametrize(("split", "seed"), [("paper", 0), ("paper", 5), ("official", 0)])
def test_rows_are_the_images_of_the_source_in_its_order(folder, tmp_path, split, seed):
    source = NUSWide(folder, split=split, seed=seed)
    shutil.rmtree(folder / "Flickr")
    features = write_features(folder, tmp_path / "out", split, seed)

    assert features.tag_names == source.tag_names == CONCEPTS
    rows = {filename: row for row, filename in enumerate(nuswide_filenames(40))}
    for name, part in (("train", features.train), ("test", features.test)):
        items = source.splits[name]
        assert part.filenames == [item.filename for item in items]
        order = [rows[filename] for filename in part.filenames]
        assert (part.features.dtype, part.labels.dtype) == (np.float32, np.uint8)
        np.testing.assert_array_equal(part.features, nuswide_features(40)[order])
        np.testing.assert_array_equal(part.labels, nuswide_labels(40)[order])


def test_baselines_run_on_the_arrays_alone(without_images, tmp_path):
    from warptag.baselines import KNNAnnotator, SVMAnnotator, most_frequent_scores
    from warptag.metrics import annotation_report

    f = write_features(without_images, tmp_path / "out", split="official")

    def recall(scores):
        return annotation_report(f.test.labels, scores, k=1)["overall_recall"]

    # The features say the tags, so that both must beat naming the most frequent one.
    floor = recall(most_frequent_scores(f.train.labels, len(f.test.labels)))
    for annotator in (KNNAnnotator(k=5), SVMAnnotator()):
        fitted = annotator.fit(f.train.features, f.train.labels)
        assert recall(fitted.decision_function(f.test.features)) > floor + 20


def test_the_description_has_columns_settings_and_origin(without_images, tmp_path):
    features = write_features(without_images, tmp_path / "out", seed=5)
    info = json.loads((tmp_path / "out" / "features_info.json").read_text())
    assert (info["split"], info["seed"], info["normalization"]) == ("paper", 5, "none")
    columns = {name: (part.start, part.stop) for name, part in features.columns.items()}
    assert columns == {
        "CH": (0, 64),
        "CORR": (64, 208),
        "EDH": (208, 281),
        "WT": (281, 409),
        "CM55": (409, 634),
        "BoW": (634, 1134),
    }
    assert info["sources"] == {
        f"Low_Level_Features/{path.name}": path.stat().st_size
        for path in (without_images / "Low_Level_Features").iterdir()
    }
    files = {f"{name}_{what}" for name in ("train", "test") for what in FILES}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"features_info.json", *files}


def test_windows_line_ends_blank_lines_and_several_blanks_do_not_matter(without_images, tmp_path):
    for path in (without_images / "Low_Level_Features").iterdir():
        text = path.read_text().replace("\n", "\r\n").replace(" ", "  ")
        path.write_bytes(f"\r\n{text}\r\n \r\n".encode())
    features = write_features(without_images, tmp_path / "out", "official").train
    rows = [nuswide_filenames(40).index(name) for name in features.filenames]
    np.testing.assert_array_equal(features.features, nuswide_features(40)[rows])


def change_line(folder, file, number, change):
    path = folder / "Low_Level_Features" / file
    lines = path.read_text().split("\n")
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda line: line.split(" ", 1)[1], "64 to 63 at row 7"),
        (lambda line: f"0 {line}", "64 to 65 at row 7"),
        (lambda line: line.replace(" ", " x", 1), "'x.*row 6, column 2"),
        (lambda line: f"nan {line.split(' ', 1)[1]}", "nan at row 7, column 1"),
        (lambda line: f"1e39 {line.split(' ', 1)[1]}", "inf at row 7, column 1"),
        (lambda line: line.replace(" ", ",", 1), "64 to 63 at row 7"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_left_behind(without_images, tmp_path, change, found):
    change_line(without_images, "Test_Normalized_CH.dat", 7, change)
    with pytest.raises(InputError, match=rf"Test_Normalized_CH\.dat: .*{found}"):
        write_features(without_images, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda text: text + text[: text.index("\n") + 1], 17),
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], 15),
        (lambda text: "", 0),
    ],
)
def test_a_wrong_number_of_rows(without_images, tmp_path, change, number):
    path = without_images / "Low_Level_Features" / "BoW_Test_int.dat"
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=rf"BoW_Test_int\.dat: expected 16 .*found {number} rows"):
        write_features(without_images, tmp_path / "out")


def test_missing_files_are_all_named(without_images, tmp_path):
    for name in ("BoW_Train_int.dat", "Test_Normalized_CORR.dat"):
        (without_images / "Low_Level_Features" / name).unlink()
    with pytest.raises(InputError, match=r"Test_Normalized_CORR\.dat, BoW_Train_int\.dat"):
        write_features(without_images, tmp_path / "out")


def test_an_image_without_features_is_named(without_images, tmp_path):
    path = without_images / "ImageList" / "TestImagelist.txt"
    path.write_text(path.read_text().replace("0024_24", "9999_24"))
    with pytest.raises(InputError, match=r"actor/0024_24\.jpg is in .*Imagelist\.txt"):
        write_features(without_images, tmp_path / "out")


def test_interrupted_work_leaves_nothing_and_can_be_done_again(
    without_images, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(np, "loadtxt", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_features(without_images, output)
    assert list(output.iterdir()) == []
    # What a killed process leaves.
    (output / ".partial-1234-train_features.npy").write_bytes(b"half")
    with pytest.raises(InputError, match=r"holds no features_info\.json"):
        load_features(output)
    features = write_features(without_images, output)
    assert not list(output.glob(".partial-*"))
    with pytest.raises(ValueError, match="read-only"):
        features.train.features[0, 0] = 1
    # Existing arrays are not replaced.
    with pytest.raises(InputError, match=r"out holds features_info\.json already"):
        write_features(without_images, output, seed=1)


def test_an_output_that_cannot_be_written(without_images, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file cannot be written"):
        write_features(without_images, tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes")
def test_a_full_disk_is_noticed_before_the_work_begins(without_images, tmp_path):
    """A limit of a file's size makes writing fail as a full disk does."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(InputError, match="out cannot be written: File too large"):
            write_features(without_images, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "out").iterdir()) == []


def damage_size(folder):
    with (folder / "test_features.npy").open("ab") as file:
        file.write(b"0")


def damage_shape(folder):
    features = np.load(folder / "test_features.npy")
    np.save(folder / "test_features.npy", features.reshape(-1, 2 * len(features)))


def damage_array(folder):
    path = folder / "test_labels.npy"
    path.write_bytes(b"x" * path.stat().st_size)


def damage_filenames(folder):
    path = folder / "train_filenames.txt"
    path.write_text(path.read_text().replace("\n", " ", 1))


def damage_info(folder):
    (folder / "features_info.json").write_text('{"tag_names": ["sky"]}')


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (lambda folder: (folder / "test_labels.npy").unlink(), "test_labels"),
        (damage_size, "test_features"),
        (damage_shape, "test: "),
        (damage_array, "pickled"),
        (damage_filenames, "train: "),
        (damage_info, "features"),
        (lambda folder: (folder / "features_info.json").write_text("{"), "JSON"),
    ],
)
def test_damaged_arrays_are_refused(without_images, tmp_path, damage, file):
    output = tmp_path / "out"
    write_features(without_images, output)
    damage(output)
    with pytest.raises(InputError, match=f"out is damaged .*{file}"):
        load_features(output)


def test_the_command(without_images, tmp_path):
    arguments = ["--input", str(without_images), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(command, [*arguments, "--split", "official", "--seed", "3"])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{tmp_path}/out/train_*: 18 images, 1,134 features, 3 tags",
        f"{tmp_path}/out/test_*: 12 images, 1,134 features, 3 tags",
    ]
