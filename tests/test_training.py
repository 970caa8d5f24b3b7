"""Training as a user sees it: learns, repeats, goes on after a stop, stops on NaN."""

import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.metrics import annotation_report
from warptag.models import AlexNet
from warptag.training import TrainingDiverged, TrainingSettings, predict, train
from warptag.training.schedule import staircase

FAST = TrainingSettings(learning_rate=0.01, epochs=3, batch_size=16, clip_norm=5.0, seed=1)


def small_network() -> keras.Model:
    return AlexNet(3, (16, 16, 3), width=0.1, dense_units=64, first_stride=2, dropout=0.3, seed=1)


def fit(data, folder, settings=FAST, **arguments):
    records = Records(data, "train", "fit"), Records(data, "train", "validation")
    return train("test", small_network, *records, settings, folder, k=1, context={}, **arguments)


@pytest.mark.parametrize(
    ("loss", "normalization"), [("softmax", "none"), ("ranking", "violators"), ("warp", "pairs")]
)
def test_every_loss_learns_and_tags_test_images(striped, tmp_path, loss, normalization):
    settings = replace(FAST, loss=loss, normalization=normalization, epochs=12)
    model, history = fit(striped, tmp_path, settings)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    test = Records(striped, "test")
    report = annotation_report(test.labels, predict(model, test), k=1)
    most_frequent = test.labels.mean(axis=0).max() * 100
    assert report["overall_precision"] > most_frequent + 10


def test_the_same_seed_gives_the_same_history_and_scores(striped, tmp_path):
    settings = replace(FAST, loss="warp", normalization="violators", epochs=2)
    outcomes = []
    for name in ("one", "two"):
        model, history = fit(striped, tmp_path / name, settings)
        scores = predict(model, Records(striped, "test"))
        outcomes.append((history.drop(columns=["seconds", "images_per_second"]), scores))
    pd.testing.assert_frame_equal(outcomes[0][0], outcomes[1][0])
    np.testing.assert_array_equal(outcomes[0][1], outcomes[1][1])


class Interrupted(Exception):
    pass


def test_a_stopped_run_goes_on_and_ends_as_if_undisturbed(striped, tmp_path, monkeypatch):
    settings = replace(FAST, loss="warp", normalization="violators", epochs=3)
    undisturbed, history = fit(striped, tmp_path / "whole", settings)

    from warptag.training import trainer

    class StopInEpochThree(trainer.StopOnNaN):
        def on_train_batch_end(self, batch, logs=None):
            if self.epoch == 2:
                raise Interrupted

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(trainer, "StopOnNaN", StopInEpochThree)
        fit(striped, tmp_path / "stopped", settings)
    assert not (tmp_path / "stopped" / "model.keras").exists()
    assert len(pd.read_csv(tmp_path / "stopped" / "history.csv")) == 2

    resumed, history_after = fit(striped, tmp_path / "stopped", settings)
    assert history_after["epoch"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(history_after["loss"], history["loss"], rtol=1e-6)
    for a, b in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_other_settings_begin_anew(striped, tmp_path):
    fit(striped, tmp_path, replace(FAST, epochs=1))
    _, history = fit(striped, tmp_path, replace(FAST, epochs=2, momentum=0.5))
    assert history["epoch"].tolist() == [1, 2]
    assert json.loads((tmp_path / "settings.json").read_text())["momentum"] == 0.5


def test_a_loss_that_is_not_finite_stops_the_run_with_advice(striped, tmp_path):
    settings = replace(FAST, learning_rate=1e30, clip_norm=None)
    with pytest.raises(TrainingDiverged, match="epoch 1.*smaller learning rate"):
        fit(striped, tmp_path, settings)
    assert not (tmp_path / "model.keras").exists()


def test_the_history_has_the_papers_figures_and_the_staircase(striped, tmp_path):
    settings = replace(FAST, epochs=4, decay_at=(0.5,), decay_factor=0.1)
    _, history = fit(striped, tmp_path, settings)
    np.testing.assert_allclose(history["learning_rate"], [0.01, 0.01, 0.001, 0.001], rtol=1e-5)
    assert history["val_overall_recall"].between(0, 1).all()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), history)


def test_fewer_images_than_a_batch_is_an_error(striped, tmp_path):
    with pytest.raises(InputError, match="fewer than one batch of 512"):
        fit(striped, tmp_path, replace(FAST, batch_size=512))


def test_five_patches_are_averaged(striped):
    model, test = small_network(), Records(striped, "test")
    patches = np.concatenate(list(test.evaluation(crop_size=16, batch_size=8, patches="five")))
    each = np.stack([model.predict_on_batch(patches[:, i]) for i in range(5)])
    np.testing.assert_allclose(predict(model, test, "five"), each.mean(axis=0), atol=1e-5)


def test_the_staircase_falls_where_it_is_told():
    schedule = staircase(0.002, decay_at=(0.5, 0.75), factor=0.1, num_steps=100)
    rates = [float(schedule(step)) for step in (0, 50, 51, 75, 76)]
    np.testing.assert_allclose(rates, [0.002, 0.002, 0.0002, 0.0002, 0.00002], rtol=1e-5)


def test_unknown_losses_and_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="softmax.*got 'hinge'"):
        TrainingSettings(loss="hinge")
    with pytest.raises(ValueError, match="learning_rate positive"):
        TrainingSettings(learning_rate=0.0)


def test_tensorboard_logs_on_request(striped, tmp_path):
    fit(striped, tmp_path, replace(FAST, epochs=1), tensorboard=True)
    assert list((tmp_path / "tensorboard").rglob("events*"))


def test_a_kill_between_checkpoint_and_history_does_not_repeat_an_epoch(striped, tmp_path):
    settings = replace(FAST, epochs=3)
    _, undisturbed = fit(striped, tmp_path / "whole", settings)

    class Killed(Exception):
        pass

    folder = tmp_path / "killed"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        from warptag.training import callbacks

        def write_then_die(path, content, written=callbacks.write_bytes):
            if content.count(b"\n") == 3:  # heading and two epochs
                raise Killed
            return written(path, content)

        patch.setattr(callbacks, "write_bytes", write_then_die)
        fit(striped, folder, settings)
    assert len(pd.read_csv(folder / "history.csv")) == 1  # the checkpoint is of epoch 2

    _, history = fit(striped, folder, settings)
    np.testing.assert_allclose(history["loss"], undisturbed["loss"], rtol=1e-6)


def test_a_finished_run_is_not_trained_again(striped, tmp_path):
    settings = replace(FAST, epochs=1)
    _, first = fit(striped, tmp_path, settings)
    made = (tmp_path / "model.keras").stat().st_mtime_ns
    _, second = fit(striped, tmp_path, settings)
    assert (tmp_path / "model.keras").stat().st_mtime_ns == made
    pd.testing.assert_frame_equal(first, second)


def test_weights_broken_by_the_last_step_of_an_epoch_stop_the_run_too(striped, tmp_path):
    # One step an epoch: its loss is finite, what it leaves is not.
    settings = replace(FAST, batch_size=128, learning_rate=1e30, clip_norm=None)
    with pytest.raises(TrainingDiverged, match="not finite after epoch 1.*smaller learning rate"):
        fit(striped, tmp_path, settings)
    assert not (tmp_path / "checkpoint.keras").exists()


def test_a_kill_after_the_last_epoch_repeats_none(striped, tmp_path, monkeypatch):
    from warptag.training import trainer

    settings = replace(FAST, epochs=2)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):

        def die(path, write, written=trainer.write_whole):
            raise Interrupted

        patch.setattr(trainer, "write_whole", die)  # model.keras is the only file it writes there
        fit(striped, tmp_path, settings)
    kept = pd.read_csv(tmp_path / "history.csv")
    assert len(kept) == 2
    _, history = fit(striped, tmp_path, settings)
    # The seconds too: no epoch was trained again.
    pd.testing.assert_frame_equal(history, kept)
    assert (tmp_path / "model.keras").exists()


REPLICAS = """
import sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from warptag.data import Records
from warptag.models import AlexNet
from warptag.training import TrainingSettings, predict, train, trainer

count = int(sys.argv[3])
strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
trainer.choose_strategy = lambda: strategy
network = lambda: AlexNet(
    3, (16, 16, 3), width=0.1, dense_units=16, first_stride=2, dropout=0.0, seed=1
)
for loss, epochs in (("softmax", 2), ("warp", 1)):
    settings = TrainingSettings(
        loss, learning_rate=0.01, normalization="violators", epochs=epochs, clip_norm=5.0
    )
    data = [Records(sys.argv[1], "train", part) for part in ("fit", "validation")]
    model, history = train(
        loss, network, *data, settings, Path(sys.argv[2]) / loss, k=1, context={}
    )
    print(loss, *history["loss"], predict(model, data[1]).shape[1])
"""


def test_two_replicas_train_like_one(striped, tmp_path):
    lines = []
    for count in (1, 2):
        result = subprocess.run(
            [sys.executable, "-c", REPLICAS, striped, tmp_path / str(count), str(count)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, result.stderr[-3000:]
        lines.append([line.split() for line in result.stdout.splitlines()])
    (softmax_of_one, _), (softmax_of_two, warp_of_two) = lines
    losses = [[float(loss) for loss in line[1:3]] for line in (softmax_of_one, softmax_of_two)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    assert warp_of_two[0] == "warp"
    assert np.isfinite(float(warp_of_two[1]))
