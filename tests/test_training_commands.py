"""`warptag train`, `cluster` and `evaluate`: what they make, and what they refuse."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from command_line import warptag_here

WARPTAG = [sys.executable, "-m", "warptag.cli"]
SMALL = ["crop_size=16", "network.width=0.05", "network.dense_units=16", "batch_size=16"]
SETTINGS = [part for text in SMALL for part in ("--set", text)]


def process(*arguments):
    command = [*WARPTAG, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def assert_one_error(result, *texts, status=1):
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    for text in texts:
        assert text in result.stderr


@pytest.fixture(scope="module")
def trained(striped, tmp_path_factory):
    output = tmp_path_factory.mktemp("trained")
    options = ["--records", striped, "--output", output, "--set", "epochs=2", *SETTINGS]
    result = process("train", "scenes", "--loss", "softmax", *options)
    assert result.returncode == 0, result.stderr
    return output, options, result


def test_train_makes_a_run_that_evaluate_reads(trained, striped, tmp_path):
    output, _, result = trained
    folder = output / "models" / "softmax"
    epochs = [line for line in result.stderr.splitlines() if line.startswith("CNN + Softmax")]
    assert len(epochs) == 2
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["epochs"] == 2
    assert settings["network"]["width"] == 0.05
    assert settings["versions"].keys() >= {"keras", "tensorflow"}
    evaluated = process(
        "evaluate",
        folder,
        "--records",
        striped,
        "--topk",
        "1",
        "--output",
        tmp_path / "figures.csv",
    )
    assert evaluated.returncode == 0, evaluated.stderr
    figures = pd.read_csv(tmp_path / "figures.csv")
    assert figures["k"].tolist() == [1]
    assert figures["overall_recall"].between(0, 100).all()


def test_the_same_command_again_trains_nothing_and_another_is_refused(trained):
    output, options, _ = trained
    model = output / "models" / "softmax" / "model.keras"
    made = model.stat().st_mtime_ns
    again = warptag_here("train", "scenes", "--loss", "softmax", *options)
    assert again.returncode == 0, again.stderr
    assert model.stat().st_mtime_ns == made
    other = warptag_here("train", "scenes", "--loss", "softmax", *options, "--set", "epochs=3")
    assert_one_error(other, "epochs 2, now 3", "--restart")
    assert model.stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("arguments", "status", "texts"),
    [
        (["train", "imagenet"], 2, ["scenes"]),
        (["train", "corel5k"], 2, ["needs --input DIR", "--records DIR"]),
        (["train", "scenes", "--strategy", "horovod"], 2, ["parameter-server"]),
        (["train", "scenes", "--records", "none"], 1, ["none is not a folder"]),
        (["train", "scenes", "--records", "none", "--set", "epoch=1"], 1, ["did you mean epochs"]),
        (["evaluate", "none", "--records", "none"], 1, ["none is not the folder of a trained run"]),
        (["cluster", "scenes", "--workers", "0"], 2, ["--workers"]),
    ],
)
def test_wrong_arguments_are_one_error(tmp_path, arguments, status, texts):
    result = warptag_here(*arguments, "--output", tmp_path / "output")
    assert_one_error(result, *texts, status=status)


def test_records_of_other_tags_are_refused_by_evaluate(trained, striped, tmp_path):
    output, _, _ = trained
    info = json.loads((striped / "dataset_info.json").read_text())
    info["tag_names"][0] = "unheard of"
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    for shard in striped.glob("*.tfrecord"):
        (tmp_path / shard.name).symlink_to(shard)
    result = warptag_here("evaluate", output / "models" / "softmax", "--records", tmp_path)
    assert_one_error(result, str(tmp_path), "unknown to the run: unheard of")


def test_a_run_that_is_not_finished_or_damaged_is_named(trained, striped, tmp_path):
    output, _, _ = trained
    folder = tmp_path / "run"
    folder.mkdir()
    settings = (output / "models" / "softmax" / "settings.json").read_bytes()
    (folder / "settings.json").write_bytes(settings)
    assert_one_error(warptag_here("evaluate", folder, "--records", striped), "not finished")
    (folder / "model.keras").write_bytes(b"no model")
    assert_one_error(
        warptag_here("evaluate", folder, "--records", striped), "model.keras cannot be read"
    )


def test_more_tags_an_image_than_there_are_is_one_error(trained, striped):
    output, _, _ = trained
    result = warptag_here(
        "evaluate", output / "models" / "softmax", "--records", striped, "--topk", "4"
    )
    assert_one_error(result, "--topk 4", "has 3 tags")


def test_tf_config_that_makes_no_sense_is_one_error(striped, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    result = warptag_here("train", "scenes", "--records", striped, "--output", tmp_path)
    assert_one_error(result, "TF_CONFIG is not JSON")


def test_a_cluster_goes_on_after_a_killed_worker_and_its_model_tags(striped, tmp_path):
    options = ["--records", striped, "--output", tmp_path, "--set", "epochs=20", *SETTINGS]
    process = subprocess.Popen(
        [*WARPTAG, "cluster", "scenes", "--workers", "2", "--ps", "1", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    # Its first lines name the processes.
    lines = [process.stdout.readline() for _ in range(3)]
    workers = [re.search(r"worker \d+: process (\d+)", line) for line in lines]
    found = [int(match[1]) for match in workers if match]
    assert len(found) == 2, lines
    history = tmp_path / "models" / "warp" / "history.csv"
    deadline = time.monotonic() + 120
    while not history.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(found[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "started again as process" in output
    assert len(pd.read_csv(history)) == 20
    evaluated = warptag_here(
        "evaluate", tmp_path / "models" / "warp", "--records", striped, "--topk", "1"
    )
    assert evaluated.returncode == 0, evaluated.stderr
