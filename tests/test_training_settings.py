"""Settings, schedules and --set: what they mean, and what they refuse."""

import inspect
from ast import literal_eval
from dataclasses import asdict, replace

import pytest

from tfrecords_tools.errors import InputError
from warptag.experiments import load_experiment
from warptag.experiments.assignments import assign
from warptag.losses import WARP
from warptag.training import TrainingSettings

OUT_OF_RANGE = """loss="hinge" normalization="mean" rank="best" learning_rate=0 epochs=0 momentum=1
    batch_size=0 window_area=(0.5,1.5) weight_decay=-1 clip_norm=0 decay_at=(0.9,0.7) patience=0
    decay_at=(1.5,) decay_unit="step" decay_factor=1 early_stopping=0 steps_per_execution=0
    jit_compile="on" """
REFUSED = """epoch=3 colour=red epochs epochs=2.5 epochs=0 learning_rate=fast decay_at=0.5;0.7
    clip_norm=maybe deterministic=2 rank=best network.depth=9 loss=warp staircase_of=both"""


def test_defaults_are_those_of_the_loss():
    for name in ("rank", "normalization"):
        default = inspect.signature(WARP).parameters[name].default
        assert getattr(TrainingSettings(), name) == default
        assert getattr(TrainingSettings("warp").make_loss(), name) == default


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


def assign_to_scenes(*assignments):
    experiment = load_experiment("scenes")
    settings = experiment.settings_for("warp", 0, experiment.chosen["warp"])
    return (experiment, settings), assign(experiment, settings, assignments)


def test_set_changes_what_it_names_and_nothing_else():
    # What is right only together may come in any order.
    texts = "jit_compile=on decay_at=2,5 clip_norm=none early_stopping=4 flip=true crop_size=48"
    texts += " window_area=0.2,1 network.width=0.5 deterministic=false decay_unit=epoch"
    (experiment, settings), (changed_experiment, changed) = assign_to_scenes(*texts.split())
    expected = {"jit_compile": "on", "decay_at": (2.0, 5.0), "clip_norm": None, "flip": True}
    expected |= {"early_stopping": 4, "window_area": (0.2, 1.0), "deterministic": False}
    assert asdict(changed) == {**asdict(settings), **expected, "decay_unit": "epoch"}
    network = {**experiment.network, "width": 0.5}
    assert changed_experiment == replace(experiment, network=network, crop_size=48)


@pytest.mark.parametrize("text", REFUSED.split())
def test_set_refuses_unknown_keys_and_wrong_values(text):
    with pytest.raises(InputError, match=f"--set.*{text.partition('=')[0]}"):
        assign_to_scenes(text)
