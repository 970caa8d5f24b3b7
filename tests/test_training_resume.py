"""A run that was stopped at any moment ends as if undisturbed."""

import errno
import shutil
import signal
from dataclasses import replace

import keras
import numpy as np
import pytest
from training_support import FAST, assert_same_weights, fit, fit_and_copy, run_python, tiny_network

from tfrecords_tools.errors import InputError
from warptag.training import OtherRun, run_folder
from warptag.training.checkpoint import load_checkpoint

# All that a run remembers. With k = 3 of the three tags per image the recall is always 1: the
# first epoch is the best, the rate falls after the third, and the fourth is the last.
SETTINGS = replace(FAST, loss="warp", epochs=6, flip=True, window_area=(0.5, 1.0))
SETTINGS = replace(SETTINGS, schedule="plateau", patience=2, keep="best", early_stopping=3)
K = 3


def copy_after(folder, epoch):
    return folder.with_name(f"{folder.name}-{epoch}")


@pytest.fixture(scope="module")
def undisturbed(striped, tmp_path_factory):
    """The folder of the run, with copies of it after each epoch beside it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    model, history = fit_and_copy(striped, folder, SETTINGS, k=K)
    assert history["learning_rate"].tolist() == pytest.approx([0.02, 0.02, 0.02, 0.002])
    _, best = load_checkpoint(copy_after(folder, 1))
    assert all(any(np.array_equal(w, array) for array in best) for w in model.get_weights())
    return folder


def assert_same_run(folder, other):
    assert (folder / "history.csv").read_bytes() == (other / "history.csv").read_bytes()
    assert_same_weights(*(keras.saving.load_model(run / "model.keras") for run in (folder, other)))


def num_epochs_in(folder):
    return len(load_checkpoint(folder)[0]["history"])


@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 4])
def test_stopped_after_an_epoch_it_ends_the_same(striped, tmp_path, undisturbed, epoch):
    folder = tmp_path / "run"
    if epoch:
        shutil.copytree(copy_after(undisturbed, epoch), folder)
    fit_and_copy(striped, folder, SETTINGS, k=K)
    assert_same_run(folder, undisturbed)
    if epoch == 4:  # stopped early already
        assert list(tmp_path.iterdir()) == [folder]
        return
    # Also the momentum, the draws, and what callbacks remember.
    (progress, arrays), (other, others) = (
        load_checkpoint(copy_after(run, 4)) for run in (folder, undisturbed)
    )
    assert {**progress, "timing": 0} == {**other, "timing": 0}
    for one, two in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(one, two)


def test_another_seed_is_another_run_and_a_finished_one_is_not_trained_again(
    striped, tmp_path, undisturbed
):
    settings = replace(SETTINGS, seed=2, epochs=1)
    _, other = fit(striped, tmp_path, settings, k=K)
    made = (tmp_path / "model.keras").stat().st_mtime_ns
    fit(striped, tmp_path, settings, k=K)
    assert (tmp_path / "model.keras").stat().st_mtime_ns == made
    _, history = fit(striped, undisturbed, SETTINGS, k=K)
    assert other["loss"][0] != history["loss"][0]


KILLED = """
import os, signal, sys
import numpy as np
from test_training_resume import K, SETTINGS, fit

saved, calls = np.savez, []

def save_half(file, **arrays):
    calls.append(file)
    saved(file, **arrays)
    if len(calls) == 2:
        file.truncate(1000)
        os.kill(os.getpid(), signal.SIGKILL)

np.savez = save_half
fit(sys.argv[1], sys.argv[2], SETTINGS, k=K)
"""


def test_killed_while_it_writes_a_checkpoint_it_ends_the_same(striped, tmp_path, undisturbed):
    run_python(KILLED, striped, tmp_path, status=-signal.SIGKILL)
    assert list(tmp_path.glob(".partial-*")) and num_epochs_in(tmp_path) == 1
    fit(striped, tmp_path, SETTINGS, k=K)
    assert_same_run(tmp_path, undisturbed)
    assert not list(tmp_path.glob(".partial-*"))


def test_a_truncated_checkpoint_loses_one_epoch(striped, tmp_path, undisturbed):
    folder = shutil.copytree(copy_after(undisturbed, 3), tmp_path / "run")
    newest = max(folder.glob("checkpoint-*"))
    newest.write_bytes(newest.read_bytes()[:-1000])
    assert num_epochs_in(folder) == 2
    fit(striped, folder, SETTINGS, k=K)
    assert_same_run(folder, undisturbed)


def test_on_a_full_disk_the_checkpoint_before_is_kept(striped, tmp_path, monkeypatch):
    saved = np.savez

    def savez(file, **arrays):
        if list(tmp_path.glob("checkpoint-*")):
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(file, **arrays)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(InputError, match=r"checkpoint-00002\.npz"):
        fit(striped, tmp_path, SETTINGS, k=K)
    assert num_epochs_in(tmp_path) == 1 and not list(tmp_path.glob(".partial-*"))


def test_a_checkpoint_of_another_model_is_refused(striped, tmp_path, undisturbed):
    folder = shutil.copytree(copy_after(undisturbed, 4), tmp_path / "run")
    # Two are kept; the copy was made before the oldest was removed.
    assert len(list(folder.glob("checkpoint-*"))) == 3
    with pytest.raises(InputError, match="another model"):
        fit(striped, folder, SETTINGS, lambda: tiny_network(dropout=0.0), k=K)


def test_a_run_of_other_settings_is_kept_or_replaced(tmp_path):
    def is_kept(epochs, on_existing):
        run_folder.claim(tmp_path, {"epochs": 1}, "replace")
        (tmp_path / "model.keras").touch()
        run_folder.claim(tmp_path, {"epochs": epochs}, on_existing)
        return (tmp_path / "model.keras").exists()

    assert is_kept(1, "refuse") and is_kept(1, "replace_if_changed")
    assert not any((is_kept(1, "replace"), is_kept(2, "replace"), is_kept(2, "replace_if_changed")))
    with pytest.raises(OtherRun, match="epochs 1, now 2"):
        is_kept(2, "refuse")
    assert (tmp_path / "model.keras").exists()
