"""`warptag annotate`: what it prints and writes, what it refuses, and how it goes on."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph
from click.testing import CliRunner
from command_line import warptag_here

from tfrecords_tools.errors import InputError
from warptag.annotation import Tagger, output, writers
from warptag.cli import cli

ODD_NAMES = ["two words.jpg", "grün.png", "-dash.jpg", 'a,b;"c".jpg', "line\nend.jpg", "x<b>.jpg"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("command") / "run")


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [
        write_photograph(tmp_path / "photos" / name, seed) for seed, name in enumerate(ODD_NAMES)
    ]


def annotate(*arguments, **options):
    return CliRunner().invoke(cli, ["annotate", *map(str, arguments)], **options)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def named_tags(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row["filename"], row["tag"]) for row in rows(file.read())]


def test_csv_has_a_row_a_tag_in_the_order_of_the_scores(run, photographs):
    result = annotate("photos", "--model", run, "--format", "csv", "--topk", 2)
    assert result.exit_code == 0, result.output
    table = rows(result.stdout)
    assert {row["filename"] for row in table} == {f"photos/{name}" for name in ODD_NAMES}
    assert [row["rank"] for row in table] == ["1", "2"] * len(photographs)
    for annotation in Tagger(run).annotate(photographs):
        name = f"photos/{annotation.path.name}"
        first = next(row for row in table if row["filename"] == name)
        assert first["tag"] == TAG_NAMES[annotation.scores.argmax()]
        assert float(first["score"]) == pytest.approx(annotation.scores.max(), abs=1e-4)
        assert float(first["probability"]) == pytest.approx(
            annotation.probabilities.max(), abs=1e-4
        )


def test_json_has_an_object_a_line(run, photographs):
    result = annotate("photos", "--model", run, "--format", "json", "--topk", 1)
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["filename"] for one in objects} == {f"photos/{name}" for name in ODD_NAMES}
    assert all(len(one["tags"]) == 1 for one in objects)
    assert {one["tags"][0]["tag"] for one in objects} <= set(TAG_NAMES)


def test_the_table_names_a_photograph_and_its_tags(run, photographs):
    result = annotate("photos/grün.png", "--model", run)
    name, *tags = result.stdout.splitlines()
    assert name == "photos/grün.png"
    # Of five asked for, the run has three.
    assert sorted(line.split(maxsplit=3)[3] for line in tags) == sorted(TAG_NAMES)
    assert all(" % " in line for line in tags)
    escaped = annotate("photos/line\nend.jpg", "--model", run)
    assert escaped.stdout.startswith("photos/line\\nend.jpg\n")


def test_a_threshold_keeps_what_is_likely_enough(run, photographs):
    everything = rows(annotate("photos", "--model", run, "--format", "csv", "--topk", 3).stdout)
    likely = rows(annotate("photos", "--model", run, "--format", "csv", "--threshold", 0.5).stdout)
    assert likely == [row for row in everything if float(row["probability"]) >= 0.5]
    assert 0 < len(likely) < len(everything)


def test_a_threshold_needs_a_calibration(tmp_path, photographs):
    run = make_run(tmp_path / "uncalibrated")
    (run / "calibration.json").unlink()
    refused = annotate("photos", "--model", run, "--threshold", 0.5)
    assert refused.exit_code == 2
    assert "could not be fitted" in refused.output
    table = rows(annotate("photos", "--model", run, "--format", "csv").stdout)
    assert {row["probability"] for row in table} == {""}


def test_text_files_stand_beside_the_photographs_and_none_is_replaced(run, photographs):
    mine = photographs[0].with_suffix(".txt")
    mine.write_text("my own words")
    write_photograph(photographs[1].with_suffix(".jpg"), 9)  # grün.jpg beside grün.png
    result = annotate("photos", "--model", run, "--format", "txt", "--topk", 2)
    assert result.exit_code == 1
    assert "holds the tags of another photograph" in result.stderr
    assert mine.read_text() == "my own words"
    assert "1 photographs have one already" in result.stderr
    for path in photographs[1:]:
        tags = path.with_suffix(".txt").read_text(encoding="utf-8")
        assert len(tags.rstrip("\n").split(", ")) == 2
    again = annotate(photographs[0], "--model", run, "--format", "txt", "--overwrite")
    assert again.exit_code == 0
    assert mine.read_text() != "my own words"


def test_what_cannot_be_read_is_reported_and_the_rest_annotated(run, photographs):
    (photographs[0].parent / "empty.jpg").write_bytes(b"")
    result = annotate("photos", "gone.jpg", "--model", run, "--format", "csv", "--topk", 1)
    assert result.exit_code == 1
    assert len(rows(result.stdout)) == len(photographs)
    assert "photos/empty.jpg" in result.stderr
    assert "gone.jpg" in result.stderr
    assert "2 of 8 were left out" in result.stderr


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_output_file_is_the_standard_output_of_the_same_command(run, photographs, form):
    shown = annotate("photos", "--model", run, "--format", form)
    filed = annotate("photos", "--model", run, "--format", form, "--output", "out/tags")
    assert filed.exit_code == 0
    assert filed.stdout == ""
    with open("out/tags", newline="", encoding="utf-8") as file:
        assert file.read() == shown.stdout
    assert os.listdir("out") == ["tags"]


def test_a_stopped_command_goes_on_where_it_was(run, photographs, monkeypatch):
    arguments = ["photos", "--model", run, "--format", "csv", "--output", "tags.csv"]
    whole = annotate(*arguments[:-1], "whole.csv")
    assert whole.exit_code == 0
    write, count = writers.OneFile.write, 0

    def write_four(self, path, tags):
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        return write(self, path, tags)

    monkeypatch.setattr(writers.OneFile, "write", write_four)
    assert annotate(*arguments).exit_code != 0
    assert not os.path.exists("tags.csv")
    with open(".tags.csv.partial", "ab") as journal:
        journal.write(b'["photos/cut off')  # as by a kill
    read = []
    load = Tagger.load
    monkeypatch.setattr(writers.OneFile, "write", write)
    monkeypatch.setattr(Tagger, "load", lambda self, path: read.append(path) or load(self, path))
    result = annotate(*arguments)
    assert result.exit_code == 0, result.output
    assert "goes on after 4 photographs" in result.stderr
    assert len(read) == len(photographs) - 4
    # The last digits of scores depend on how many photographs share a batch.
    assert named_tags("tags.csv") == named_tags("whole.csv")
    # Photographs that a later command does not ask for are not in its file.
    count = 0
    monkeypatch.setattr(writers.OneFile, "write", write_four)
    annotate(*arguments)
    monkeypatch.setattr(writers.OneFile, "write", write)
    annotate(*arguments[1:], "--", photographs[-1])
    assert {name for name, _ in named_tags("tags.csv")} == {str(photographs[-1])}
    # Another question begins anew.
    count = 0
    monkeypatch.setattr(writers.OneFile, "write", write_four)
    annotate(*arguments)
    monkeypatch.setattr(writers.OneFile, "write", write)
    other = annotate(*arguments, "--topk", 1)
    assert "goes on" not in other.stderr
    assert len(named_tags("tags.csv")) == len(photographs)


def test_two_commands_do_not_write_one_file(run, photographs):
    first = writers.OneFile(output.Csv(), Path("tags.csv"), {})
    refused = annotate("photos", "--model", run, "--format", "csv", "--output", "tags.csv")
    assert "another command is writing tags.csv" in str(refused.exception)
    first.close()


def test_a_journal_that_was_removed_is_no_whole_file(photographs):
    writer = writers.OneFile(output.Csv(), Path("tags.csv"), {})
    writer.write(photographs[0], [])
    Path(".tags.csv.partial").unlink()
    with pytest.raises(InputError, match="was removed or changed"):
        writer.finish()
    writer.close()
    assert not os.path.exists("tags.csv")


def test_an_output_that_is_no_plain_file_is_refused(run, photographs):
    os.symlink("elsewhere", "link")
    result = annotate("photos", "--model", run, "--format", "csv", "--output", "link")
    assert "no plain file" in str(result.exception)


def test_a_model_of_other_tags_is_refused(tmp_path, photographs):
    run = make_run(tmp_path / "other")
    settings = json.loads((run / "settings.json").read_text())
    settings["tag_names"].append("one more")
    (run / "settings.json").write_text(json.dumps(settings))
    result = annotate("photos", "--model", run)
    assert "3 scores and its settings.json 4 tags" in str(result.exception)


def test_nothing_named_is_an_error_and_an_empty_folder_is_left_out(run, photographs):
    assert "no photograph was named" in str(annotate("-", "--model", run, input="").exception)
    os.mkdir("empty")
    result = annotate("empty", photographs[0], "--model", run, "--format", "csv")
    assert result.exit_code == 1
    assert "empty holds no image" in result.stderr
    assert rows(result.stdout)


def test_an_output_that_cannot_be_written_is_named(run, photographs):
    open("file", "w").close()
    result = annotate("photos", "--model", run, "--format", "csv", "--output", "file/tags.csv")
    assert "file/tags.csv cannot be written" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "table", "--output", "x"], "--output takes csv or json"),
        (["--overwrite"], "--overwrite is for"),
        (["--threshold", "2"], "--threshold"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(run, photographs, arguments, message):
    result = annotate("photos", "--model", run, *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_names_come_from_standard_input_of_a_process(run, photographs):
    command = [sys.executable, "-m", "warptag.cli", "annotate", "--model", str(run), "-"]
    found = subprocess.run(
        [*command, "--format", "json"],
        input="two words.jpg\n-dash.jpg\n",
        capture_output=True,
        text=True,
        cwd=photographs[0].parent,
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    names = [json.loads(line)["filename"] for line in found.stdout.splitlines()]
    assert names == ["two words.jpg", "-dash.jpg"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-dash.jpg", "--model", "."], 2, "goes after --"),
        (["two words.jpg", "--model", "."], 1, "not the folder of a trained run"),
    ],
)
def test_what_is_wrong_is_one_line(photographs, monkeypatch, arguments, status, message):
    monkeypatch.chdir(photographs[0].parent)
    refused = warptag_here("annotate", *arguments)
    assert refused.returncode == status
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_model_that_holds_code_is_refused_and_its_code_not_run(tmp_path, photographs):
    run = make_run(tmp_path / "crafted")
    witness = tmp_path / "it ran"
    import keras

    layer = keras.layers.Lambda(lambda x: x, output_shape=(16, 16, 3))
    model = keras.Sequential([keras.Input((16, 16, 3)), layer, keras.layers.Flatten()])
    model.save(run / "model.keras")
    # The Lambda's code is replaced by one that leaves a trace.
    code = keras.src.utils.python_utils.func_dump(
        eval(f"lambda x: (open({str(witness)!r}, 'w').close(), x)[1]")
    )[0]
    with zipfile.ZipFile(run / "model.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    [crafted] = [layer for layer in config["config"]["layers"] if layer["class_name"] == "Lambda"]
    crafted["config"]["function"]["config"]["code"] = code
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(run / "model.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    # Loaded unsafely it would run: the file is as dangerous as it should be.
    keras.saving.load_model(run / "model.keras", safe_mode=False)(np.zeros((1, 16, 16, 3)))
    assert witness.exists()
    witness.unlink()
    result = annotate("photos", "--model", run)
    assert "cannot be read" in str(result.exception)
    assert not witness.exists()
