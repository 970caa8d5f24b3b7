"""Settings, schedules and --set: what they mean, and what they refuse."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from tfrecords_tools.errors import InputError
from warptag.experiments import load_experiment
from warptag.experiments.assignments import assign
from warptag.training import TrainingSettings
from warptag.training.schedule import (
    epochs_since_best,
    learning_rate,
    plateau_falls,
    staircase,
    weight_decay,
)


def test_the_staircase_falls_where_it_is_told():
    schedule = staircase(0.002, boundaries=[50, 75], factor=0.1)
    rates = [float(schedule(step)) for step in (0, 50, 51, 75, 76)]
    np.testing.assert_allclose(rates, [0.002, 0.002, 0.0002, 0.0002, 0.00002], rtol=1e-5)


@pytest.mark.parametrize(("unit", "at"), [("share", (0.5,)), ("epoch", (5.0,)), ("step", (50.0,))])
def test_the_same_staircase_by_share_epoch_and_step(unit, at):
    settings = TrainingSettings(epochs=10, decay_unit=unit, decay_at=at)
    schedule = learning_rate(settings, steps_per_epoch=10)
    rates = [float(schedule(step)) for step in (50, 51)]
    np.testing.assert_allclose(rates, [0.002, 0.0002], rtol=1e-5)


def test_both_readings_of_staircase_weight_decay():
    settings = TrainingSettings(epochs=10, decay_at=(0.5,), weight_decay=0.0005)
    assert weight_decay(settings, 10) == 0.0005
    assert float(learning_rate(settings, 10)(51)) == pytest.approx(0.0002)
    settings = replace(settings, staircase_of="weight_decay")
    assert learning_rate(settings, 10) == 0.002
    np.testing.assert_allclose(
        [float(weight_decay(settings, 10)(step)) for step in (50, 51)], [5e-4, 5e-5], rtol=1e-5
    )
    settings = replace(settings, staircase_of="both")
    assert float(learning_rate(settings, 10)(51)) == pytest.approx(0.0002)
    assert float(weight_decay(settings, 10)(51)) == pytest.approx(5e-5)


def test_the_rate_of_larger_batches_on_request():
    settings = TrainingSettings(batch_size=128, schedule="constant")
    assert learning_rate(settings, 10) == 0.002
    assert learning_rate(replace(settings, scale_learning_rate=True), 10) == 0.008


def test_the_plateau_falls_after_epochs_without_a_better_figure():
    assert plateau_falls([], 2) == 0
    assert plateau_falls([0.1, 0.2, 0.3], 2) == 0
    assert plateau_falls([0.3, 0.2, 0.3], 2) == 1
    assert plateau_falls([0.3, 0.2, 0.3, 0.1], 2) == 1
    assert plateau_falls([0.3, 0.2, 0.3, 0.1, 0.1], 2) == 2
    assert plateau_falls([0.3, 0.2, 0.4, 0.1, 0.1], 2) == 1
    assert epochs_since_best([0.1, 0.3, 0.3]) == 1
    assert epochs_since_best([0.1]) == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"loss": "hinge"}, "softmax.*got 'hinge'"),
        ({"normalization": "mean"}, "violators.*got 'mean'"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0"),
        ({"clip_norm": 0.0}, "clip_norm must be positive or None"),
        ({"decay_at": (0.9, 0.7)}, "decay_at must be increasing"),
        ({"decay_at": (1.5,)}, "below 1 as shares"),
        ({"jit_compile": "on"}, "needs deterministic=false"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**values)


def of_scenes(*assignments):
    experiment = load_experiment("scenes")
    settings = experiment.settings_for("warp", 0, experiment.chosen["warp"])
    return (experiment, settings), assign(experiment, settings, assignments)


def test_set_changes_what_it_names_and_nothing_else():
    (experiment, settings), (changed_experiment, changed) = of_scenes(
        "epochs=3",
        "decay_at=0.5,0.8",
        "clip_norm=none",
        "early_stopping=4",
        "deterministic=false",
        "precision=bfloat16",
        "network.width=0.5",
        "crop_size=48",
    )
    expected = {
        **asdict(settings),
        "epochs": 3,
        "decay_at": (0.5, 0.8),
        "clip_norm": None,
        "early_stopping": 4,
        "deterministic": False,
        "precision": "bfloat16",
    }
    assert asdict(changed) == expected
    assert changed_experiment == replace(
        experiment, network={**experiment.network, "width": 0.5}, crop_size=48
    )


def test_settings_that_are_right_only_together_may_come_in_any_order():
    assignments = ("jit_compile=on", "decay_at=2,5", "deterministic=false", "decay_unit=epoch")
    _, (_, changed) = of_scenes(*assignments)
    assert (changed.jit_compile, changed.decay_at) == ("on", (2.0, 5.0))


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epoch=3", "unknown key 'epoch'; did you mean epochs"),
        ("colour=red", "unknown key 'colour'; there are learning_rate, "),
        ("epochs", "expected key=value"),
        ("epochs=many", "epochs takes a whole number, got 'many'"),
        ("epochs=2.5", "epochs takes a whole number, got '2.5'"),
        ("learning_rate=fast", "learning_rate takes a number"),
        ("decay_at=0.5;0.7", "decay_at takes numbers separated by commas"),
        ("clip_norm=maybe", "clip_norm takes a number or none"),
        ("deterministic=2", "deterministic takes true or false"),
        ("rank=best", "rank takes one of sampled, loop, exact, expected"),
        ("epochs=0", "epochs must be at least 1"),
        ("network.depth=9", "unknown key 'network.depth'"),
        ("loss=warp", "unknown key 'loss'"),
    ],
)
def test_set_refuses_unknown_keys_and_wrong_values(assignment, message):
    with pytest.raises(InputError, match=message):
        of_scenes(assignment)
