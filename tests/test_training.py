"""Training as a user sees it: learns, repeats, shows its figures, stops on NaN."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from training_support import FAST, assert_same_weights, fit, small_network

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.metrics import annotation_report
from warptag.training import TrainingDiverged, predict


@pytest.mark.parametrize(
    ("loss", "normalization"), [("softmax", "none"), ("ranking", "violators"), ("warp", "pairs")]
)
def test_every_loss_learns_and_tags_test_images(striped, tmp_path, loss, normalization):
    settings = replace(FAST, loss=loss, normalization=normalization, epochs=8)
    model, history = fit(striped, tmp_path, settings)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    test = Records(striped, "test")
    report = annotation_report(test.labels, predict(model, test), k=1)
    most_frequent = test.labels.mean(axis=0).max() * 100
    assert report["overall_precision"] > most_frequent + 10


def test_the_step_is_that_of_keras_fit(striped, tmp_path):
    """Plain Keras, with the same network, optimizer, loss and batches."""
    settings = replace(FAST, epochs=2, decay_at=(0.5,))
    model, history = fit(striped, tmp_path, settings)
    records = Records(striped, "train", "fit")
    steps = len(records) // 16
    keras.utils.set_random_seed(1)
    plain = small_network()
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([steps], [0.01, 0.001])
    plain.compile(
        keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=5.0), settings.make_loss()
    )
    batches = records.training(crop_size=16, batch_size=16, seed=1)
    fitted = plain.fit(batches, epochs=2, steps_per_epoch=steps, shuffle=False, verbose=0)
    np.testing.assert_allclose(history["loss"], fitted.history["loss"], rtol=1e-4)
    for one, two in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_files(striped, tmp_path):
    settings = replace(FAST, loss="warp", normalization="violators", epochs=2)
    models = [fit(striped, tmp_path / name, settings)[0] for name in ("one", "two")]
    assert_same_weights(*models)
    histories = [(tmp_path / name / "history.csv").read_bytes() for name in ("one", "two")]
    assert histories[0] == histories[1]
    other, _ = fit(striped, tmp_path / "three", replace(settings, seed=2))
    assert not np.array_equal(models[0].get_weights()[0], other.get_weights()[0])


def test_the_history_has_the_papers_figures_and_the_staircase(striped, tmp_path, capsys):
    settings = replace(FAST, epochs=4, decay_at=(0.5,), decay_factor=0.1)
    _, history = fit(striped, tmp_path, settings)
    assert history.columns.tolist() == [
        "epoch",
        "loss",
        "learning_rate",
        "val_per_class_recall",
        "val_per_class_precision",
        "val_overall_recall",
        "val_overall_precision",
        "val_n_plus",
    ]
    np.testing.assert_allclose(history["learning_rate"], [0.01, 0.01, 0.001, 0.001], rtol=1e-5)
    assert history["val_overall_recall"].between(0, 1).all()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), history)
    timing = pd.read_csv(tmp_path / "timing.csv")
    assert timing["epoch"].tolist() == [1, 2, 3, 4]
    assert (timing["images_per_second"] > 0).all()
    # Outside a terminal each epoch is one line.
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"test: epoch {i}/4" for i in (1, 2, 3, 4)]
    for part in ("loss", "rate", "recall", "precision", "N+", "images/s"):
        assert part in lines[0]


def test_a_loss_that_is_not_finite_stops_the_run_with_step_layer_and_advice(striped, tmp_path):
    settings = replace(FAST, learning_rate=1e30, clip_norm=None)
    with pytest.raises(
        TrainingDiverged, match=r"epoch 1.* step \d+.*layer \w+.*smaller learning_rate"
    ):
        fit(striped, tmp_path, settings)
    assert not (tmp_path / "model.keras").exists()


def test_a_run_that_breaks_later_keeps_its_last_good_checkpoint(striped, tmp_path):
    settings = replace(FAST, clip_norm=None, decay_unit="epoch", decay_at=(1,), decay_factor=1e30)
    with pytest.raises(TrainingDiverged, match=r"epoch 2.*the checkpoint of step \d+ is kept"):
        fit(striped, tmp_path, settings)
    (checkpoint,) = tmp_path.glob("checkpoint-*.npz")
    with np.load(checkpoint) as content:
        weights = [content[name] for name in content.files if name != "progress"]
    assert all(np.isfinite(weight).all() for weight in weights)


def test_weights_broken_by_the_last_step_of_an_epoch_stop_the_run_too(striped, tmp_path):
    # One step an epoch: its loss is finite, what it leaves is not.
    settings = replace(FAST, batch_size=128, learning_rate=1e30, clip_norm=None)
    with pytest.raises(TrainingDiverged, match="epoch 1.*not finite.*smaller learning_rate"):
        fit(striped, tmp_path, settings)
    assert not list(tmp_path.glob("checkpoint-*"))


def test_fewer_images_than_a_batch_is_an_error(striped, tmp_path):
    with pytest.raises(InputError, match="fewer than one batch of 512"):
        fit(striped, tmp_path, replace(FAST, batch_size=512))


def test_a_damaged_record_stops_the_run_with_its_file(striped, tmp_path):
    folder = tmp_path / "records"
    shutil.copytree(striped, folder)
    shard = sorted(folder.glob("train-*"))[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=rf"{shard.name}, record \d+: damaged"):
        fit(folder, tmp_path / "run")


def test_five_patches_are_averaged(striped):
    model, test = small_network(), Records(striped, "test")
    patches = np.concatenate(list(test.evaluation(crop_size=16, batch_size=8, patches="five")))
    each = np.stack([model.predict_on_batch(patches[:, i]) for i in range(5)])
    np.testing.assert_allclose(predict(model, test, "five"), each.mean(axis=0), atol=1e-5)


def test_tensorboard_logs_and_a_profile_on_request(striped, tmp_path):
    fit(striped, tmp_path, replace(FAST, epochs=6), tensorboard=True, profile=True)
    assert list((tmp_path / "tensorboard").glob("events*"))
    assert list((tmp_path / "tensorboard" / "plugins" / "profile").rglob("*.xplane.pb"))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_learns_with_weights_of_float32(striped, tmp_path, precision):
    settings = replace(FAST, precision=precision, epochs=6)
    model, history = fit(striped, tmp_path, settings)
    assert history["loss"].iloc[-1] < 0.9 * history["loss"].iloc[0]
    assert {weight.dtype for weight in model.get_weights()} == {np.dtype("float32")}
    assert predict(model, Records(striped, "test")).dtype == np.float32
    assert keras.config.dtype_policy().name == "float32"


XLA = """
import sys
from dataclasses import replace
from pathlib import Path
from training_support import FAST, fit
settings = replace(FAST, epochs=6, deterministic=False, jit_compile="on")
print(*fit(sys.argv[1], Path(sys.argv[2]), settings)[1]["loss"])
"""


def test_compiled_by_xla_it_learns(striped, tmp_path):
    # In a process of its own: TensorFlow's determinism cannot be switched off again.
    result = subprocess.run(
        [sys.executable, "-c", XLA, striped, tmp_path],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    losses = list(map(float, result.stdout.split()))
    assert losses[-1] < 0.9 * losses[0]


def test_weight_decay_makes_weights_smaller(striped, tmp_path):
    norms = []
    for name, decay in (("none", 0.0), ("some", 0.1)):
        model, _ = fit(striped, tmp_path / name, replace(FAST, weight_decay=decay))
        norms.append(sum(float((weight**2).sum()) for weight in model.get_weights()))
    assert norms[1] < 0.9 * norms[0]


def test_early_stopping_and_the_best_model(striped, tmp_path):
    # After epoch 2 the rate is so small that nothing changes any more.
    settings = replace(
        FAST, epochs=9, decay_unit="epoch", decay_at=(2,), decay_factor=1e-9, early_stopping=2
    )
    model, history = fit(striped, tmp_path / "stopped", replace(settings, keep="best"))
    figures = (history["val_per_class_recall"] + history["val_overall_recall"]) / 2
    assert len(history) == int(figures.argmax()) + 1 + 2
    validation = Records(striped, "train", "validation")
    report = annotation_report(validation.labels, predict(model, validation), k=1)
    best = history.iloc[int(figures.argmax())]
    assert report["overall_recall"] == pytest.approx(100 * best["val_overall_recall"], abs=1e-3)
    assert not (tmp_path / "stopped" / "best.npz").exists()
    kept = keras.saving.load_model(tmp_path / "stopped" / "model.keras")
    assert_same_weights(kept, model)


def test_a_plateau_lowers_the_rate(striped, tmp_path):
    settings = replace(
        FAST, learning_rate=1e-9, epochs=4, schedule="plateau", patience=1, decay_factor=0.5
    )
    _, history = fit(striped, tmp_path, settings)
    # Nothing is learned at that rate, so each epoch after the first halves it.
    np.testing.assert_allclose(history["learning_rate"], [1e-9, 1e-9, 0.5e-9, 0.25e-9], rtol=1e-5)
