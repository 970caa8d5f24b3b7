"""Replicas that share a batch train like one device; the optimizer beside Keras's own."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from training_support import FAST, fit, run_python, tiny_network

from warptag.training import SGD

# Every gradient is clipped.
SETTINGS = replace(FAST, learning_rate=0.5, epochs=2, clip_norm=0.02, weight_decay=0.05)


def losses(data, folder, strategy=None, **changes):
    """Without dropout, of which replicas have other draws."""
    settings, options = replace(SETTINGS, **changes), {"strategy": strategy, "k": 3}
    _, history = fit(data, folder, settings, lambda: tiny_network(dropout=0.0), **options)
    return history["loss"].tolist()


# Logical devices are set up before TensorFlow starts, and its determinism, which XLA does not
# know, cannot be switched off again; so in a process of their own.
REPLICAS = """
import json, sys
import tensorflow as tf
[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from test_training_strategies import SGD, losses
from tfrecords_tools.errors import InputError

data, folder = sys.argv[1:]
results = {"xla": losses(data, f"{folder}/xla", jit_compile="on", deterministic=False)}
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for loss in ("softmax", "ranking"):
    results[loss] = losses(data, f"{folder}/{loss}", strategy, loss=loss)
# The recall at k = 3 of three tags is always 1, so that the rate falls after the second epoch.
plateau = {"loss": "warp", "precision": "float16", "schedule": "plateau", "patience": 1}
results["float16"] = losses(data, f"{folder}/float16", strategy, **plateau)
try:
    losses(data, f"{folder}/odd", strategy, batch_size=9)
except InputError as error:
    results["odd"] = str(error)

with strategy.scope():
    weights = keras.Variable([0.0, 0.0])
    optimizer = SGD(1.0, global_clipnorm=1.0)
    optimizer.build([weights])

def step():
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    optimizer.apply([tf.gather([[3.0, 0.0], [0.0, 4.0]], replica)], [weights])

tf.function(lambda: strategy.run(step))()
print(json.dumps({**results, "clipped": weights.numpy().tolist()}))
"""


@pytest.fixture(scope="module")
def two_replicas(striped, tmp_path_factory):
    return run_python(REPLICAS, striped, tmp_path_factory.mktemp("two"))


@pytest.mark.parametrize(("name", "loss"), [("softmax",) * 2, ("ranking",) * 2, ("xla", "softmax")])
def test_two_replicas_and_xla_have_the_losses_of_one_device(
    striped, tmp_path, two_replicas, name, loss
):
    expected = losses(striped, tmp_path, loss=loss)
    np.testing.assert_allclose(two_replicas[name], expected, rtol=1e-4)


def test_two_replicas_clip_the_gradient_of_the_whole_batch(two_replicas):
    # It is (3, 4), of norm 5; clipped alone, the shares would add up to (1, 1).
    np.testing.assert_allclose(two_replicas["clipped"], [-0.6, -0.8], rtol=1e-6)
    assert np.isfinite(two_replicas["float16"]).all()
    assert "batch_size 9" in two_replicas["odd"]


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
    assert int(optimizers[0].skipped) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(value, clip):
    variable, optimizer = keras.Variable([1.0, 2.0]), SGD(0.1, global_clipnorm=clip)
    optimizer.apply([np.float32([value, 1.0])], [variable])
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    optimizer.apply([np.float32([0.5, 0.0])], [variable])
    np.testing.assert_allclose(variable, [0.95, 2.0], rtol=1e-6)
    assert int(optimizer.skipped) == 1
