"""`warptag train`, its settings, and `warptag evaluate`: what they make, and what they refuse."""

import json
from ast import literal_eval
from dataclasses import asdict, replace

import pandas as pd
import pytest
from command_line import warptag_here

from tfrecords_tools.errors import InputError
from warptag import provenance
from warptag.commands.assignments import assign
from warptag.experiments import EXPERIMENTS
from warptag.losses import WARP
from warptag.training import TrainingSettings

SMALL = (
    "selection_k=2 crop_size=16 network.first_stride=2 network.width=0.05 network.dense_units=16 "
    "batch_size=16"
)
SETTINGS = [part for text in f"{SMALL} epochs=2".split() for part in ("--set", text)]
OUT_OF_RANGE = """learning_rate=0 decay_unit="step" decay_factor=1 decay_at=(0.9,0.7) epochs=0
    decay_at=(1.5,) batch_size=0 window_area=(0.5,1.5) momentum=1 weight_decay=-1 clip_norm=0
    rank="best" patience=0 early_stopping=0 steps_per_execution=0 jit_compile="on" """
REFUSED = """epoch=3 colour=red epochs epochs=2.5 epochs=0 learning_rate=fast decay_at=0.5;0.7
    clip_norm=maybe deterministic=2 rank=best network.depth=9 loss=warp staircase_of=both"""


def error_of(*arguments, status=1):
    result = warptag_here(*arguments)
    assert result.returncode == status and "Traceback" not in result.stderr, result.stderr
    return result.stderr


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
    figures = ("epoch 1/2", "loss", "rate", "recall", "precision", "N+", "images/s")
    assert len(lines) == 2 and all(figure in lines[0] for figure in figures)
    assert f"--model {run}" in result.stdout
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["epochs"], settings["network"]["width"]) == (2, 0.05)
    made_by = json.loads((run / "run.json").read_text())
    assert made_by["versions"].keys() >= {"python", "tensorflow", "keras", "numpy"}
    assert (made_by["backend"], made_by["code"]) == ("tensorflow", provenance.code_checksum())
    # It does not decide whether the run is trained again.
    assert not settings.keys() & made_by.keys()


def test_evaluate_reads_the_run_and_refuses_what_does_not_fit(trained, striped, tmp_path):
    command, figures = ["evaluate", trained[0], "--records"], tmp_path / "figures.csv"
    assert warptag_here(*command, striped, "--topk", 1, "--output", figures).returncode == 0
    assert pd.read_csv(figures)["overall_recall"].between(0, 100).all()
    assert "4 tags per image" in error_of(*command, striped, "--topk", 4)
    info = (striped / "dataset_info.json").read_text()
    (tmp_path / "dataset_info.json").write_text(info.replace('"red"', '"unheard of"'))
    for shard in striped.glob("*.tfrecord"):
        (tmp_path / shard.name).symlink_to(shard)
    assert "unheard of" in error_of(*command, tmp_path)


def test_the_same_command_trains_nothing_and_another_is_refused_or_replaces(trained):
    run, command, _ = trained
    made = (run / "model.keras").stat().st_mtime_ns
    assert warptag_here(*command).returncode == 0
    other = [*command, "--set", "epochs=1"]
    error = error_of(*other)
    assert "epochs 2, now 1" in error and "--restart" in error
    assert (run / "model.keras").stat().st_mtime_ns == made
    assert warptag_here(*other, "--restart").returncode == 0
    assert len(pd.read_csv(run / "history.csv")) == 1


def test_wrong_arguments_are_one_error(tmp_path):
    output = ["--output", tmp_path / "output"]
    assert "--input DIR" in error_of("train", "corel5k", *output, status=2)
    scenes = ["train", "scenes", "--records", "no folder", *output]
    assert "no folder" in error_of(*scenes)
    assert "did you mean epochs" in error_of(*scenes, "--set", "epoch=1")
    assert "no run" in error_of("evaluate", "no run", "--records", "no folder")


def test_defaults_are_those_of_the_loss():
    settings = TrainingSettings("warp")
    for one in (settings, settings.make_loss()):
        assert (one.rank, one.normalization) == (WARP().rank, WARP().normalization)


def test_the_rate_is_scaled_for_batches_and_falls_at_shares_or_epochs():
    settings = TrainingSettings(epochs=10, batch_size=128, schedule="constant")
    assert settings.make_schedule(10) == 0.002
    settings = replace(settings, schedule="staircase", scale_learning_rate=True, decay_factor=0.5)
    for unit, at in (("share", (0.5, 0.8)), ("epoch", (5.0, 8.0))):
        schedule = replace(settings, decay_unit=unit, decay_at=at).make_schedule(10)
        rates = [float(schedule(step)) for step in (0, 50, 51, 80, 81)]
        assert rates == pytest.approx([0.008, 0.008, 0.004, 0.004, 0.002])


@pytest.mark.parametrize("text", OUT_OF_RANGE.split())
def test_a_setting_out_of_range_is_refused(text):
    name, value = text.split("=")
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**{name: literal_eval(value)})


def test_set_changes_what_it_names_and_nothing_else():
    choices, settings = EXPERIMENTS["scenes"].networks, TrainingSettings()
    # What is right only together may come in any order.
    texts = "jit_compile=on decay_at=2,5 clip_norm=none early_stopping=4 flip=true crop_size=48"
    texts += " window_area=0.2,1 network.width=0.5 deterministic=false decay_unit=epoch"
    changed_choices, changed = assign(choices, settings, texts.split())
    expected = {"jit_compile": "on", "decay_at": (2.0, 5.0), "clip_norm": None, "flip": True}
    expected |= {"early_stopping": 4, "window_area": (0.2, 1.0), "deterministic": False}
    assert asdict(changed) == {**asdict(settings), **expected, "decay_unit": "epoch"}
    architecture = {**choices.architecture, "width": 0.5}
    assert changed_choices == replace(choices, architecture=architecture, crop_size=48)


@pytest.mark.parametrize("text", REFUSED.split())
def test_set_refuses_unknown_keys_and_wrong_values(text):
    with pytest.raises(InputError, match=f"--set.*{text.partition('=')[0]}"):
        assign(EXPERIMENTS["scenes"].networks, TrainingSettings(), [text])
