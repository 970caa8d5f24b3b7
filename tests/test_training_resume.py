"""A run that was stopped at any moment ends as if undisturbed, and nothing done is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from training_support import FAST, assert_same_weights, fit, small_network

from tfrecords_tools.errors import InputError
from warptag.training import loop
from warptag.training.checkpoints import load_checkpoint, save_checkpoint
from warptag.training.synchronous import Synchronous

SETTINGS = replace(FAST, loss="warp", normalization="violators", epochs=3)


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def undisturbed(striped, tmp_path_factory):
    return fit(striped, tmp_path_factory.mktemp("undisturbed"), SETTINGS)


def assert_ends_like(undisturbed, striped, folder):
    model, history = fit(striped, folder, SETTINGS)
    assert_same_weights(model, undisturbed[0])
    pd.testing.assert_frame_equal(history, undisturbed[1])


# In the first epoch, at its end and in the second.
@pytest.mark.parametrize("num_calls", [2, 5, 7])
def test_stopped_between_any_two_calls_it_ends_with_the_same_weights(
    striped, tmp_path, monkeypatch, undisturbed, num_calls
):
    run, calls = Synchronous.run, []

    def run_then_die(self, num_steps):
        if len(calls) == num_calls:
            raise Killed
        calls.append(num_steps)
        return run(self, num_steps)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Synchronous, "run", run_then_die)
        # Each call ends with a checkpoint, also in the middle of an epoch.
        patch.setattr("warptag.training.synchronous.STEPS_PER_CALL", 3)
        fit(striped, tmp_path, SETTINGS, checkpoint_minutes=0)
    assert not (tmp_path / "model.keras").exists()
    assert load_checkpoint(tmp_path)[1]["step"] == sum(calls)
    assert_ends_like(undisturbed, striped, tmp_path)


@pytest.mark.parametrize("file", ["history.csv", "timing.csv", "model.keras", "checkpoint"])
def test_killed_while_it_writes_a_file_it_ends_with_the_same_weights(
    striped, tmp_path, monkeypatch, undisturbed, file
):
    replaced = os.replace

    def die(source, destination):
        name = Path(destination).name
        # The second checkpoint: the first stands already.
        second = name.startswith("checkpoint") and list(tmp_path.glob("checkpoint-*"))
        if name == file or (file == "checkpoint" and second):
            raise Killed
        replaced(source, destination)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", die)
        fit(striped, tmp_path, SETTINGS)
    assert not (tmp_path / "model.keras").exists()
    assert_ends_like(undisturbed, striped, tmp_path)


def test_killed_before_the_last_rows_are_written_none_is_missing(
    striped, tmp_path, monkeypatch, undisturbed
):
    replaced = os.replace

    def die(source, destination):
        if Path(destination).name == "history.csv" and Path(source).read_bytes().count(b"\n") == 4:
            raise Killed
        replaced(source, destination)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", die)
        fit(striped, tmp_path, SETTINGS)
    fit(striped, tmp_path, SETTINGS)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), undisturbed[1])


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(striped, tmp_path, undisturbed):
    folder = stopped_run(striped, tmp_path)
    checkpoints = sorted(folder.glob("checkpoint-*.npz"))
    assert len(checkpoints) == 2
    content = bytearray(checkpoints[-1].read_bytes())
    content[len(content) // 2] ^= 1
    checkpoints[-1].write_bytes(content)
    assert load_checkpoint(folder)[1]["step"] < json_step(checkpoints[-1])
    assert_ends_like(undisturbed, striped, folder)


def test_a_full_disk_leaves_the_last_checkpoint_to_go_on_from(
    striped, tmp_path, monkeypatch, capsys, undisturbed
):
    saved = np.savez
    calls = []

    def no_space(file, **arrays):
        calls.append(1)
        if len(calls) == 2:
            file.write(b"half of it")
            raise OSError(28, "No space left on device")
        saved(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", no_space)
        with pytest.raises(InputError, match=r"checkpoint-\d+\.npz.*No space left.*stand"):
            fit(striped, tmp_path, SETTINGS)
    assert len(list(tmp_path.glob("checkpoint-*.npz"))) == 1
    assert not list(tmp_path.glob(".partial-*"))
    capsys.readouterr()
    assert_ends_like(undisturbed, striped, tmp_path)
    first = capsys.readouterr().err.splitlines()[0]
    assert "goes on from step" in first
    assert "step 0 of epoch 2" in first


def test_a_finished_run_is_not_trained_again(striped, tmp_path):
    settings = replace(FAST, epochs=1)
    _, first = fit(striped, tmp_path, settings)
    made = (tmp_path / "model.keras").stat().st_mtime_ns
    _, second = fit(striped, tmp_path, settings)
    assert (tmp_path / "model.keras").stat().st_mtime_ns == made
    pd.testing.assert_frame_equal(first, second)
    assert not list(tmp_path.glob("checkpoint-*"))


def test_other_settings_begin_anew_or_are_refused(striped, tmp_path):
    fit(striped, tmp_path, replace(FAST, epochs=1), context={"tag_names": ["a"] * 50})
    other = replace(FAST, epochs=2, momentum=0.5)
    with pytest.raises(InputError, match="epochs 1, now 2; momentum 0.9, now 0.5.*--restart"):
        fit(striped, tmp_path, other, context={"tag_names": ["a"] * 50}, begin_anew="never")
    with pytest.raises(InputError, match="another tag_names"):
        fit(
            striped,
            tmp_path,
            replace(FAST, epochs=1),
            context={"tag_names": ["b"] * 50},
            begin_anew="never",
        )
    assert (tmp_path / "model.keras").exists()
    _, history = fit(striped, tmp_path, other)
    assert history["epoch"].tolist() == [1, 2]
    assert json.loads((tmp_path / "settings.json").read_text())["momentum"] == 0.5


def test_a_checkpoint_of_another_model_is_refused(striped, tmp_path):
    folder = stopped_run(striped, tmp_path)
    step, (values, progress) = 99, load_checkpoint(folder)
    fewer = [keras.Variable(value) for value in values[:-1]]
    save_checkpoint(folder, step, fewer, progress)
    with pytest.raises(InputError, match="another model"):
        fit(striped, folder, SETTINGS)


RUN = """
import sys
from pathlib import Path
from test_training_resume import SETTINGS, fit
fit(sys.argv[1], Path(sys.argv[2]), SETTINGS, checkpoint_minutes=0)
"""


def test_killed_with_sigkill_it_ends_with_the_same_weights(striped, tmp_path, capsys, undisturbed):
    command = [sys.executable, "-c", RUN, str(striped), str(tmp_path)]
    process = subprocess.Popen(command, cwd=Path(__file__).parent, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert load_checkpoint(tmp_path) is not None
    assert_ends_like(undisturbed, striped, tmp_path)
    assert "goes on from step" in capsys.readouterr().err
    assert_same_weights(keras.saving.load_model(tmp_path / "model.keras"), undisturbed[0])


def stopped_run(striped, folder):
    """A run that was stopped in its third epoch, after two checkpoints."""
    ended = loop.Loop._end_epoch

    def die_in_the_third(self):
        if len(self.position.history) == 2:
            raise Killed
        ended(self)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop.Loop, "_end_epoch", die_in_the_third)
        fit(striped, folder, SETTINGS)
    return folder


def json_step(path):
    with np.load(path) as content:
        return json.loads(str(content["progress"]))["step"]


def test_the_small_network_draws_at_every_step():
    # Otherwise the tests above would not notice draws that are not restored.
    assert any("dropout" in layer.name for layer in small_network().layers)
