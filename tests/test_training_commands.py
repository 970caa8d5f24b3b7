"""`warptag train` and `evaluate`: what they make, and what they refuse."""

import json

import keras
import pandas as pd
import pytest
from command_line import warptag_here

from warptag import provenance

SMALL = "selection_k=2 crop_size=16 network.width=0.05 network.dense_units=16 batch_size=16"
SETTINGS = [part for text in f"{SMALL} epochs=2".split() for part in ("--set", text)]


def assert_one_error(result, *texts, status=1):
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    for text in texts:
        assert text in result.stderr


@pytest.fixture(scope="module")
def trained(striped, tmp_path_factory):
    """The run's folder, the command that made it, and what it printed."""
    output = tmp_path_factory.mktemp("trained")
    options = ["--loss", "softmax", "--records", striped, "--output", output, *SETTINGS]
    result = warptag_here("train", "scenes", *options)
    assert result.returncode == 0, result.stderr
    return output / "models" / "softmax", ["train", "scenes", *options], result


def test_the_run_is_shown_and_its_folder_says_how_it_was_made(trained):
    run, _, result = trained
    lines = [line for line in result.stderr.splitlines() if line.startswith("CNN + Softmax")]
    assert len(lines) == 2
    for part in ("epoch 1/2", "loss", "rate", "recall", "precision", "N+", "images/s"):
        assert part in lines[0]
    assert f"--model {run}" in result.stdout
    settings, measured = (
        json.loads((run / name).read_text()) for name in ("settings.json", "run.json")
    )
    assert (settings["epochs"], settings["network"]["width"]) == (2, 0.05)
    assert settings["tag_names"] == ["red", "green", "blue"]
    assert measured["versions"].keys() >= {"python", "tensorflow", "keras", "numpy"}
    assert (measured["backend"], measured["versions"]["keras"]) == ("tensorflow", keras.__version__)
    assert measured["code"] == provenance.code_checksum()
    # What made it does not decide whether it is trained again.
    assert not settings.keys() & measured.keys()


def test_evaluate_reads_the_run_and_refuses_what_does_not_fit(trained, striped, tmp_path):
    run, _, _ = trained
    options = ["--records", striped, "--topk", 1, "--output", tmp_path / "figures.csv"]
    assert warptag_here("evaluate", run, *options).returncode == 0
    assert pd.read_csv(tmp_path / "figures.csv")["overall_recall"].between(0, 100).all()
    assert_one_error(warptag_here("evaluate", run, *options[:2], "--topk", "4"), "--topk 4")
    info = (striped / "dataset_info.json").read_text()
    (tmp_path / "dataset_info.json").write_text(info.replace('"red"', '"unheard of"'))
    for shard in striped.glob("*.tfrecord"):
        (tmp_path / shard.name).symlink_to(shard)
    assert_one_error(warptag_here("evaluate", run, "--records", tmp_path), "unheard of")


def test_the_same_command_trains_nothing_and_another_is_refused_or_replaces(trained):
    run, command, _ = trained
    made = (run / "model.keras").stat().st_mtime_ns
    assert warptag_here(*command).returncode == 0
    other = [*command, "--set", "epochs=1"]
    assert_one_error(warptag_here(*other), "epochs 2, now 1", "--restart")
    assert (run / "model.keras").stat().st_mtime_ns == made
    assert warptag_here(*other, "--restart").returncode == 0
    assert len(pd.read_csv(run / "history.csv")) == 1


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        ("train imagenet", 2, "scenes"),
        ("train corel5k", 2, "--input DIR"),
        ("train scenes --strategy mirrored", 2, "--strategy"),
        ("train scenes --records none", 1, "none"),
        ("train scenes --records none --set epoch=1", 1, "epochs"),
        ("evaluate none --records none", 1, "none"),
    ],
)
def test_wrong_arguments_are_one_error(tmp_path, command, status, text):
    result = warptag_here(*command.split(), "--output", tmp_path / "output")
    assert_one_error(result, text, status=status)
