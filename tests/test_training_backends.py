"""Training on replicas, and with JAX and PyTorch: the same losses, the same files."""

from dataclasses import replace
from importlib.util import find_spec

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_support import FAST, call_in_process, fit, fit_and_copy, tiny_network

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.training import SGD, TrainingDiverged, TrainingSettings, predict

# Every gradient is clipped; clipped shares of it would add up to another one.
CLIPPED = replace(FAST, learning_rate=0.5, epochs=2, clip_norm=0.02, weight_decay=0.05)


def losses(data, folder, strategy=None, **changes):
    """Without dropout, of which replicas have other draws."""
    settings, options = replace(CLIPPED, **changes), {"strategy": strategy, "k": 3}
    _, history = fit(data, folder, settings, lambda: tiny_network(dropout=0.0), **options)
    return history["loss"].tolist()


def on_two_replicas(data, folder):
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    trained = losses(data, f"{folder}/two", strategy)
    # With k = 3 of three tags the recall is always 1, so that the rate falls after epoch 2.
    plateau = {"loss": "warp", "precision": "float16", "schedule": "plateau", "patience": 1}
    assert np.isfinite(losses(data, f"{folder}/float16", strategy, **plateau)).all()
    with pytest.raises(InputError, match="batch_size 9"):
        losses(data, f"{folder}/odd", strategy, batch_size=9)
    return trained


@pytest.mark.slow
def test_two_replicas_train_like_one_device(striped, tmp_path):
    # In a process of its own, for logical devices are set up before any other use of TensorFlow.
    trained = call_in_process(on_two_replicas, striped, tmp_path)
    np.testing.assert_allclose(trained, losses(striped, tmp_path / "one"), rtol=1e-4)


def on_another_backend(data, run):
    settings = replace(FAST, loss="warp", epochs=3, schedule="plateau", patience=1, keep="best")
    model, history = fit_and_copy(data, run, settings)
    resumed, resumed_history = fit(data, f"{run}-2", settings)
    assert all(map(np.array_equal, resumed.get_weights(), model.get_weights()))
    assert resumed_history.equals(history)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingSettings, "make_schedule", lambda *_: np.inf)
        with pytest.raises(TrainingDiverged, match="step.* layer"):
            fit(data, f"{run}-diverged", FAST)
    return keras.backend.backend(), predict(model, Records(data, "test")).tolist()


@pytest.mark.extra
@pytest.mark.parametrize("name", ["jax", "torch"])
def test_another_backend_trains_and_resumes_and_its_model_is_read(striped, tmp_path, name):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    run = tmp_path / "run"
    backend, scores = call_in_process(on_another_backend, striped, run, KERAS_BACKEND=name)
    assert backend == name
    model = keras.saving.load_model(run / "model.keras")
    np.testing.assert_allclose(predict(model, Records(striped, "test")), scores, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 1.0}, {"clipnorm": 0.5}])
def test_finite_gradients_have_the_effect_of_keras_sgd(options):
    values = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    ours, theirs = (list(map(keras.Variable, values[0])) for _ in range(2))
    options = {"momentum": 0.9, "weight_decay": 0.1, **options}
    optimizers = SGD(0.1, **options), keras.optimizers.SGD(0.1, **options)
    for gradients in values[1:]:
        for optimizer, variables in zip(optimizers, (ours, theirs), strict=True):
            optimizer.apply(list(gradients), variables)
    np.testing.assert_array_equal(ours, theirs)
    assert int(optimizers[0].first_skipped) == 0


@pytest.mark.parametrize(("value", "clip"), [(np.nan, None), (np.inf, 1.0)])
def test_a_gradient_that_is_not_finite_is_skipped_and_its_step_kept(value, clip):
    variable, optimizer = keras.Variable([1.0, 2.0]), SGD(0.1, global_clipnorm=clip)
    for gradient in ([0.5, 0.0], [value, 1.0], [0.0, 0.5], [value, value]):
        optimizer.apply([np.float32(gradient)], [variable])
    np.testing.assert_allclose(variable, [0.95, 1.95], rtol=1e-6)
    assert int(optimizer.first_skipped) == 2
