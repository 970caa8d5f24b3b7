"""The losses and metrics over two replicas (MirroredStrategy on two logical CPUs).

Logical devices must be set before TensorFlow starts, so one script runs in its own process.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking
from warptag.metrics import NPlus, OverallPrecision, PerClassPrecision, PerClassRecall

generator = np.random.default_rng(0)
images = generator.normal(size=(48, 6)).astype("float32")
labels = generator.choice([1.0, 0.0, -1.0], (48, 9), p=[0.3, 0.5, 0.2]).astype("float32")


def history(make_loss, strategy, in_scope=True, figures=()):
    loss = None if in_scope else make_loss()
    with strategy.scope():
        dense = keras.layers.Dense(9, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
        model = keras.Sequential([keras.layers.Input((6,)), dense])
        model.compile(
            optimizer=keras.optimizers.SGD(0.1),
            loss=loss or make_loss(),
            metrics=[figure(2) for figure in figures],
        )
    fitted = model.fit(images, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
    if figures:
        fitted.history["evaluated"] = model.evaluate(images, labels, batch_size=16, verbose=0)
    fitted.history["kernel"] = dense.kernel.numpy().ravel().tolist()
    return fitted.history


losses = {
    "softmax": MultilabelSoftmax,
    "ranking": PairwiseRanking,
    "expected": lambda: WARP(rank="expected"),
    "sampled, no seed": WARP,
    "sampled, seed 3": lambda: WARP(seed=3),
    "loop, no seed": lambda: WARP(rank="loop"),
    "loop, seed 3": lambda: WARP(rank="loop", seed=3),
}
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one = tf.distribute.get_strategy()
result = {}
for name, loss in losses.items():
    figures = ()
    if name == "softmax":
        figures = (PerClassRecall, PerClassPrecision, OverallPrecision, NPlus)
    result[name] = {"two": history(loss, two, figures=figures)}
    result[name]["replicas"] = two.num_replicas_in_sync
    if "seed" not in name:
        result[name]["one"] = history(loss, one, figures=figures)
result["outside, seed 3"] = {"two": history(losses["sampled, seed 3"], two, in_scope=False)}
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def runs():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["softmax", "ranking", "expected"])
def test_two_replicas_train_and_measure_as_one(runs, name):
    run = runs[name]
    assert run["replicas"] == 2
    for key, values in run["one"].items():
        assert run["two"][key] == pytest.approx(values, rel=1e-4, abs=1e-5), key


@pytest.mark.parametrize(
    "name",
    [
        "sampled, no seed",
        "sampled, seed 3",
        "loop, no seed",
        "loop, seed 3",
        "outside, seed 3",
    ],
)
def test_sampling_runs_on_two_replicas(runs, name):
    first, last = runs[name]["two"]["loss"]
    assert 0 < last < first
