"""`warptag annotate`: what it prints and writes, what it refuses, and how it resumes."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph
from click.testing import CliRunner

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.folder import Folder
from warptag.annotation import output, tagger, writers
from warptag.cli import cli

ODD_NAMES = ["two words.jpg", "grün.png", "-dash.jpg", 'a,b;"c".jpg', "line\nend.jpg", "x<b>.jpg"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("command") / "run")


@pytest.fixture(scope="module")
def loaded(run):
    return tagger.Tagger(run)


@pytest.fixture
def photographs(tmp_path, monkeypatch, run, loaded):
    # The run is loaded once for all tests.
    kind = tagger.Tagger
    monkeypatch.setattr(tagger, "Tagger", lambda path: loaded if path == run else kind(path))
    monkeypatch.chdir(tmp_path)
    return [
        write_photograph(tmp_path / "photos" / name, seed) for seed, name in enumerate(ODD_NAMES)
    ]


def annotate(*arguments, **options):
    return CliRunner().invoke(cli, ["annotate", *map(str, arguments)], **options)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def named_tags(path):
    return [(row["filename"], row["tag"]) for row in rows(Path(path).read_bytes().decode())]


def test_csv_and_json_have_the_tags_in_the_order_of_the_scores(run, loaded, photographs):
    result = annotate("photos", "--model", run, "--format", "csv", "--topk", 2)
    assert result.exit_code == 0, result.output
    table = rows(result.stdout)
    assert {row["filename"] for row in table} == {f"photos/{name}" for name in ODD_NAMES}
    assert [row["rank"] for row in table] == ["1", "2"] * len(photographs)
    lines = annotate("photos", "--model", run, "--format", "json", "--topk", 1).stdout.splitlines()
    objects = {one["filename"]: one["tags"] for one in map(json.loads, lines)}
    filed = annotate("photos", "--model", run, "--format", "csv", "--topk", 2, "--output", "out/a")
    assert filed.exit_code == 0 and filed.stdout == ""
    assert Path("out/a").read_bytes().decode() == result.stdout
    assert os.listdir("out") == ["a"]
    for annotation in loaded.annotate(photographs):
        name = f"photos/{annotation.path.name}"
        row = next(row for row in table if row["filename"] == name)
        [in_json] = objects[name]
        assert row["tag"] == in_json["tag"] == TAG_NAMES[annotation.scores.argmax()]
        for key, values in (
            ("score", annotation.scores),
            ("probability", annotation.probabilities),
        ):
            assert float(row[key]) == pytest.approx(values.max(), abs=1e-4)
            assert in_json[key] == pytest.approx(values.max(), abs=1e-4)


def test_the_table_names_a_photograph_and_its_tags(run, photographs):
    name, *tags = annotate("photos/grün.png", "--model", run).stdout.splitlines()
    assert name == "photos/grün.png"
    # The run has three of the five tags that are requested by default.
    assert sorted(line.split(maxsplit=3)[3] for line in tags) == sorted(TAG_NAMES)
    escaped = annotate("photos/line\nend.jpg", "--model", run)
    assert escaped.stdout.startswith("photos/line\\nend.jpg\n")


def test_text_files_are_written_beside_the_photographs_and_none_is_replaced(run, photographs):
    mine = photographs[0].with_suffix(".txt")
    mine.write_text("my own words")
    write_photograph(photographs[1].with_suffix(".jpg"), 9)  # grün.jpg beside grün.png
    result = annotate("photos", "--model", run, "--format", "txt", "--topk", 2)
    assert result.exit_code == 1 and mine.read_text() == "my own words"
    assert "kept: 1;" in result.stderr and "1 of 6" in result.stderr
    for path in photographs[1:]:
        tags = path.with_suffix(".txt").read_text(encoding="utf-8")
        assert len(tags.rstrip("\n").split(", ")) == 2
    annotate(mine.with_suffix(".jpg"), "--model", run, "--format", "txt", "--overwrite")
    assert mine.read_text() != "my own words"


@pytest.mark.parametrize(
    "tag", ["sun, red", "a;b", "two\nlines", "a\u2028b", " blank", "\ufeffx", ""]
)
def test_a_tag_that_a_text_file_cannot_hold_is_refused(run, loaded, photographs, monkeypatch, tag):
    monkeypatch.setattr(loaded, "tag_names", ["road", "sea", tag])
    result = annotate("photos", "--model", run, "--format", "txt")
    assert isinstance(result.exception, InputError) and repr(tag) in str(result.exception)
    assert not [path for path in photographs if path.with_suffix(".txt").exists()]


def test_text_files_are_read_back_by_the_source_folder(run, loaded, photographs, monkeypatch):
    odd = ['it\'s "quoted" #1', "süß \u3042 | tab", "a/b\\c: 100 %"]
    monkeypatch.setattr(loaded, "tag_names", odd)
    assert annotate("photos", "--model", run, "--format", "txt").exit_code == 0
    assert set(Folder("photos").tag_names) == set(odd)


def test_a_missing_file_or_a_folder_without_images_is_no_photograph_with_a_text_file(
    run, photographs, monkeypatch
):
    os.makedirs("empty/none")
    monkeypatch.chdir("empty")
    for name in ("none.txt", "gone.txt"):
        Path(name).write_text("of something else")
    result = annotate(".", "none", "gone.jpg", "--model", run, "--format", "txt")
    assert result.exit_code == 1 and "3 of 3" in result.stderr, result.output


def test_what_cannot_be_read_is_reported_and_the_rest_annotated(run, photographs):
    (photographs[0].parent / "empty.jpg").write_bytes(b"")
    os.mkdir("none")
    result = annotate("photos", "gone.jpg", "none", "--model", run, "--format", "csv", "--topk", 1)
    assert result.exit_code == 1
    assert len(rows(result.stdout)) == len(photographs)
    for name in ("photos/empty.jpg", "gone.jpg", "none", "3 of 9"):
        assert name in result.stderr


def test_an_interrupted_command_resumes(run, loaded, photographs, monkeypatch):
    arguments = ["photos", "--model", run, "--format", "csv", "--output", "tags.csv"]
    assert annotate(*arguments[:-1], "whole.csv").exit_code == 0
    write = writers.OneFile.write

    def interrupted():
        count = iter(range(100))

        def write_four(self, path, tags):
            if next(count) == 4:
                raise KeyboardInterrupt
            return write(self, path, tags)

        with monkeypatch.context() as patch:
            patch.setattr(writers.OneFile, "write", write_four)
            assert annotate(*arguments).exit_code != 0

    interrupted()
    assert not os.path.exists("tags.csv")
    with open(".tags.csv.partial", "ab") as journal:
        journal.write(b'["photos/cut off')  # as by a kill
    read, load = [], loaded.load
    monkeypatch.setattr(loaded, "load", lambda path: read.append(path) or load(path))
    result = annotate(*arguments)
    assert result.exit_code == 0, result.output
    assert "4 photographs" in result.stderr
    assert len(read) == len(photographs) - 4
    # The last digits of scores depend on how many photographs share a batch.
    assert named_tags("tags.csv") == named_tags("whole.csv")
    # With other settings, all is done again.
    interrupted()
    read.clear()
    annotate(*arguments, "--topk", 1)
    assert len(named_tags("tags.csv")) == len(read) == len(photographs)


def test_an_output_that_cannot_be_written_is_named_with_the_option(run, photographs):
    os.symlink("elsewhere", "link")
    open("file", "w").close()
    first = writers.OneFile(output.FORMATS["csv"], Path("locked.csv"), {})
    for name in ("link", "file/tags.csv", "locked.csv"):
        result = annotate("photos", "--model", run, "--format", "csv", "--output", name)
        assert isinstance(result.exception, InputError)
        assert name in str(result.exception) and "--output" in str(result.exception)
    first.close()


def test_a_threshold_keeps_what_is_likely_enough_and_needs_a_calibration(run, photographs):
    everything = rows(annotate("photos", "--model", run, "--format", "csv", "--topk", 3).stdout)
    probabilities = sorted({float(row["probability"]) for row in everything})
    # Between two of them, since they are printed rounded.
    middle = sum(probabilities[len(probabilities) // 2 - 1 :][:2]) / 2
    options = ("--model", run, "--format", "csv", "--threshold", middle)
    likely = rows(annotate("photos", *options).stdout)
    assert likely == [row for row in everything if float(row["probability"]) >= middle]
    assert 0 < len(likely) < len(everything)
    uncalibrated = shutil.copytree(run, "uncalibrated")
    (Path(uncalibrated) / "calibration.json").unlink()
    assert annotate("photos", "--model", uncalibrated, "--threshold", 0.5).exit_code == 2
    table = rows(annotate("photos", "--model", uncalibrated, "--format", "csv").stdout)
    assert {row["probability"] for row in table} == {""}


def test_a_model_with_code_is_refused_and_its_code_not_run(run, photographs):
    crafted, witness = Path(shutil.copytree(run, "crafted")), Path("it ran").absolute()
    layer = keras.layers.Lambda(
        lambda x, path: (open(path, "w").close(), x)[1],
        output_shape=(16, 16, 3),
        arguments={"path": str(witness)},
    )
    model = keras.Sequential([keras.Input((16, 16, 3)), layer, keras.layers.Flatten()])
    model.save(crafted / "model.keras")
    # Loaded unsafely it would run: the file is as dangerous as it should be.
    witness.unlink(missing_ok=True)
    keras.saving.load_model(crafted / "model.keras", safe_mode=False)(np.zeros((1, 16, 16, 3)))
    witness.unlink()
    assert isinstance(annotate("photos", "--model", crafted).exception, InputError)
    assert not witness.exists()


def test_options_that_do_not_fit_are_usage_errors(run, photographs):
    for bad in ("--format table --output x", "--overwrite", "--threshold 2", "--threshold nan"):
        assert annotate("photos", "--model", run, *bad.split()).exit_code == 2
