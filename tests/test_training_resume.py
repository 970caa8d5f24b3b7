"""A run that was stopped at any moment ends as if undisturbed."""

import errno
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from training_support import FAST, fit, fit_and_copy, tiny_network

from tfrecords_tools.errors import InputError
from warptag.training import OtherRun
from warptag.training.checkpoint import checkpoints, load_checkpoint

# All that a run remembers. With k = 3 of the three tags per image the recall is always 1: the
# first epoch is the best, the rate falls after the third, and the fourth is the last.
SETTINGS = replace(FAST, loss="warp", epochs=6, flip=True, window_area=(0.5, 1.0))
SETTINGS = replace(SETTINGS, schedule="plateau", patience=2, keep="best", early_stopping=3)
K = 3


def network():
    """With moving statistics, which are no weights that a gradient changes."""
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.AveragePooling2D(4)]
    layers += [keras.layers.Flatten(), keras.layers.BatchNormalization()]
    layers += [keras.layers.Dropout(0.3), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((16, 16, 3)), *layers])


def copy_after(folder, epoch):
    return folder.with_name(f"{folder.name}-{epoch}")


def newest(folder):
    """Progress and arrays of the newest checkpoint that is whole."""
    return next(found for path in checkpoints(folder) if (found := load_checkpoint(path)))


@pytest.fixture(scope="module")
def undisturbed(striped, tmp_path_factory):
    """The folder of the run, with copies of it after each epoch beside it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    model, history = fit_and_copy(striped, folder, SETTINGS, network, k=K)
    assert history["learning_rate"].tolist() == pytest.approx([0.02, 0.02, 0.02, 0.002])
    _, best = newest(copy_after(folder, 1))
    assert all(any(np.array_equal(w, array) for array in best) for w in model.get_weights())
    return folder


def assert_ends_like(undisturbed, striped, folder):
    fit_and_copy(striped, folder, SETTINGS, network, k=K)
    assert (folder / "history.csv").read_bytes() == (undisturbed / "history.csv").read_bytes()
    models = [keras.saving.load_model(run / "model.keras") for run in (folder, undisturbed)]
    assert all(map(np.array_equal, *(model.get_weights() for model in models)))
    assert not list(folder.glob(".partial-*")) and not checkpoints(folder)


# Early stopping ended the run after epoch 4. A truncated checkpoint loses one epoch, and one that
# was being written when the process was killed none.
@pytest.mark.parametrize(("epoch", "truncated"), [(0, False), (3, True), (4, False)])
def test_a_stopped_run_ends_the_same(striped, tmp_path, undisturbed, epoch, truncated):
    folder = tmp_path / "run"
    if epoch:
        shutil.copytree(copy_after(undisturbed, epoch), folder)
    if truncated:
        path = checkpoints(folder)[0]
        path.write_bytes(path.read_bytes()[:-1000])
        (folder / f".partial-{path.name}").write_bytes(path.read_bytes()[:1000])
        assert len(newest(folder)[0]["history"]) == 2
    assert_ends_like(undisturbed, striped, folder)
    assert copy_after(folder, 4).exists() == (epoch < 4)
    if epoch < 4:
        # Also the momentum, the draws, and what callbacks remember.
        states = [newest(copy_after(run, 4)) for run in (folder, undisturbed)]
        assert states[0][0] == states[1][0] | {"timing": states[0][0]["timing"]}
        for one, two in zip(states[0][1], states[1][1], strict=True):
            np.testing.assert_array_equal(one, two)


def test_another_seed_is_refused_or_gives_another_run(striped, tmp_path, undisturbed):
    folder, other = shutil.copytree(undisturbed, tmp_path / "run"), replace(SETTINGS, seed=2)
    with pytest.raises(OtherRun, match="seed 1, now 2"):
        fit(striped, folder, other, network, k=K, on_existing="refuse")
    _, history = fit(striped, folder, SETTINGS, network, k=K, on_existing="refuse")
    _, replaced = fit(striped, folder, other, network, k=K, on_existing="replace_if_changed")
    assert replaced["loss"][0] != history["loss"][0]


def test_on_a_full_disk_the_checkpoint_before_is_kept(striped, tmp_path, monkeypatch):
    saved, calls = np.savez, []

    def no_space_for_the_second(file, **arrays):
        calls.append(file)
        saved(file, **arrays)
        if len(calls) == 2:
            file.truncate(1000)
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", no_space_for_the_second)
    with pytest.raises(InputError, match=r"checkpoint-00002\.npz"):
        fit(striped, tmp_path, SETTINGS, k=K)
    assert [path.name for path in tmp_path.glob("*.npz")] == ["checkpoint-00001.npz"]
    assert newest(tmp_path)


def test_a_checkpoint_of_another_model_is_refused(striped, tmp_path, undisturbed):
    folder = shutil.copytree(copy_after(undisturbed, 4), tmp_path / "run")
    assert len(checkpoints(folder)) == 3  # two and the new one
    with pytest.raises(InputError, match="another model"):
        fit(striped, folder, SETTINGS, tiny_network, k=K)
