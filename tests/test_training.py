"""Training as a user sees it: it learns, keeps its figures, and stops where it breaks."""

import zipfile
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from training_support import FAST, assert_same_weights, fit, small_network, tiny_network

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.metrics import annotation_report
from warptag.training import TrainingDiverged, TrainingSettings, predict
from warptag.training.checkpoint import checkpoints, load_checkpoint

# A CPU takes long for bfloat16.
BFLOAT16 = pytest.param("ranking bfloat16", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["softmax float32", BFLOAT16, "warp float16"])
def run(request, striped, tmp_path_factory):
    """The folder of a run with each loss and precision, its model and its history."""
    loss, precision = request.param.split()
    settings = replace(FAST, loss=loss, precision=precision, epochs=5)
    folder, profiled = tmp_path_factory.mktemp("run"), loss == "softmax"
    options = {"tensorboard": profiled, "profile": profiled}
    return folder, *fit(striped, folder, settings, small_network, **options)


def test_every_loss_and_precision_learns(run, striped):
    _, model, history = run
    assert history["loss"].iloc[-1] < 0.9 * history["loss"].iloc[0]
    test = Records(striped, "test")
    report = annotation_report(test.labels, predict(model, test), k=1)
    assert report["overall_precision"] > 100 * test.labels.mean(axis=0).max() + 10
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_folder_has_tables_logs_and_a_model_that_keras_loads(run):
    folder, model, history = run
    figures = history.filter(regex="val_(n_plus|.*_recall|.*_precision)")
    assert figures.shape == (5, 5) and figures.stack().between(0, 1).all()
    assert history.columns[:4].tolist() == ["epoch", "loss", "learning_rate", "val_loss"]
    # The staircase falls at 70 % and 90 % of the run, after epochs 3.5 and 4.5.
    rates = [0.02] * 3 + [0.002, 0.0002]
    assert history["learning_rate"].tolist() == pytest.approx(rates)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "history.csv"), history)
    for table in (history, timing := pd.read_csv(folder / "timing.csv")):
        assert table["epoch"].tolist() == list(range(1, 6))
    assert (timing[["seconds", "images_per_second"]] > 0).all(axis=None)
    logs = [list(folder.rglob(name)) for name in ("validation/events*", "*.xplane.pb")]
    assert all(logs) if (folder / "tensorboard").exists() else not any(logs)
    assert_same_weights(keras.saving.load_model(folder / "model.keras"), model)
    assert b"warptag" not in zipfile.ZipFile(folder / "model.keras").read("config.json")


def test_scores_are_the_mean_over_patches(striped):
    model, test = small_network(), Records(striped, "test")
    for patches, number in (("center", 1), ("five", 5)):
        crops = [c for c, _ in test.evaluation(crop_size=16, batch_size=7, patches=patches)]
        scores = model(np.concatenate(crops)).numpy().reshape(-1, number, 3).mean(axis=1)
        np.testing.assert_allclose(predict(model, test, patches), scores, rtol=1e-3, atol=1e-6)
    assert not np.allclose(scores, predict(model, test), rtol=1e-2, atol=1e-5)


def test_training_is_that_of_plain_keras(striped, tmp_path):
    settings = replace(FAST, loss="ranking", epochs=2, decay_at=(0.5,), steps_per_execution=7)
    settings = replace(settings, weight_decay=0.01, clip_norm=0.5)
    model, _ = fit(striped, tmp_path, settings)
    keras.utils.set_random_seed(1)
    plain, training = tiny_network(), Records(striped, "train")
    steps = len(training) // 16
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([steps], [0.02, 0.002])
    sgd = keras.optimizers.SGD(rate, momentum=0.9, weight_decay=0.01, global_clipnorm=0.5)
    plain.compile(sgd, settings.make_loss())
    batches = training.training(crop_size=16, batch_size=16, seed=1)
    plain.fit(batches, epochs=2, steps_per_epoch=steps, shuffle=False, verbose=0)
    for one, two in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


# In the second epoch, and in the only step of an epoch, after which the loss is finite.
@pytest.mark.parametrize(
    ("loss", "batch_size", "rate", "kept"), [("ranking", 16, 0.01, 1), ("warp", 128, np.inf, 0)]
)
def test_values_that_are_not_finite_stop_the_run(
    striped, tmp_path, monkeypatch, loss, batch_size, rate, kept
):
    rises = keras.optimizers.schedules.ExponentialDecay(rate, 15, np.inf, staircase=True)
    monkeypatch.setattr(TrainingSettings, "make_schedule", lambda *_: rises)
    settings = replace(FAST, loss=loss, batch_size=batch_size)
    with pytest.raises(TrainingDiverged, match=rf"epoch {kept + 1}.* step.* layer \w+"):
        fit(striped, tmp_path, settings)
    assert len(checkpoints(tmp_path)) == kept
    for path in checkpoints(tmp_path):
        assert all(np.isfinite(array).all() for array in load_checkpoint(path)[1])


@pytest.mark.parametrize(("name", "value"), [("batch_size", 512), ("steps_per_execution", 5)])
def test_settings_that_do_not_fit_the_data_are_an_error(striped, tmp_path, name, value):
    with pytest.raises(InputError, match=str(value)):
        fit(striped, tmp_path, replace(FAST, **{name: value}))


def test_too_little_memory_for_a_batch_is_an_input_error(striped, tmp_path, monkeypatch):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    def without_memory(*_, **__):
        raise error

    monkeypatch.setattr(keras.Model, "fit", without_memory)
    with pytest.raises(InputError, match="batch_size"):
        fit(striped, tmp_path, FAST, small_network)


def test_another_loss_trains_by_name(striped, tmp_path):
    settings = replace(FAST, loss="k_order_warp", schedule="cosine", epochs=2)
    _, history = fit(striped, tmp_path, settings)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < 1e-6


def test_a_loss_refuses_a_normalization_that_it_does_not_have():
    with pytest.raises(ValueError, match="normalization"):
        TrainingSettings("k_order_warp", normalization="pairs")
