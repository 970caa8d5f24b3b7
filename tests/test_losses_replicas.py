"""Losses and metrics on two replicas (MirroredStrategy on two logical CPUs).

Logical devices must be set before TensorFlow starts, so one script runs in its own process.
"""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="only TensorFlow has MirroredStrategy"
    ),
]

SCRIPT = """
import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from warptag.losses import WARP, KOrderStatisticWARP
from warptag.metrics import AnnotationMetrics, annotation_metrics

generator = np.random.default_rng(0)
images = generator.normal(size=(50, 6)).astype("float32")
# 20 tags, so that the positives of some images are more than one chunk.
labels = generator.choice([1.0, 0.0, -1.0], (50, 20), p=[0.3, 0.5, 0.2]).astype("float32")
ids = np.where(labels == 1, np.arange(20), -1).astype("int32")
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def model_of(loss, **options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(20)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, **options)
    return model


def fit(model, targets, epochs=1):
    fitted = model.fit(
        images[:48], targets[:48], batch_size=16, epochs=epochs, shuffle=False, verbose=0
    )
    return fitted.history["loss"]


def deterministic(strategy, targets, **options):
    with strategy.scope():
        loss = KOrderStatisticWARP(
            rank="expected", tag_weights=np.linspace(0.5, 2, 20), **options
        )
        model = model_of(loss)
    return fit(model, targets) + model.get_weights()[0].ravel().tolist()


result = {"trained": [], "metrics": {}}
for targets, options in ((labels, {}), (ids, {"labels": "ids"})):
    runs = [deterministic(one, targets, **options) for one in (tf.distribute.get_strategy(), two)]
    result["trained"].append(runs)

outside = WARP(rank="exact", negatives="sampled", seed=3)
with two.scope():
    loss = WARP()
    model = model_of(loss, weighted_metrics=[AnnotationMetrics(k=(2, 5), num_images=66)])
result["sampling"] = fit(model, labels, epochs=2)
# Batches of 16 of 50 images: the last one has one image per replica.
weights = generator.integers(0, 3, 50).astype("float32")
evaluated = model.evaluate(
    images, labels, batch_size=16, sample_weight=weights, verbose=0, return_dict=True
)
scores = model.predict(images, verbose=0)
for name, value in annotation_metrics(labels, scores, (2, 5), weights).items():
    result["metrics"][name] = [evaluated[name], value]


def draws(loss, num_steps=2):
    # The losses of one batch, the same on both replicas, for each step.
    scores = tf.constant(generator.normal(size=(50, 16)).astype("float32"))

    @tf.function
    def both():
        return two.run(lambda: loss.call(labels[:, :16], scores))

    return [[values.numpy().tolist() for values in both().values] for _ in range(num_steps)]


result["draws"] = {"no seed": draws(loss), "made outside of the scope": draws(outside)}
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


def test_two_replicas_train_as_one(runs):
    for one, two in runs["trained"]:
        assert two == pytest.approx(one, rel=1e-4, abs=1e-5)
    first, last = runs["sampling"]
    assert 0 < last < first


def test_two_replicas_measure_as_one(runs):
    assert len(runs["metrics"]) == 16
    for name, (measured, expected) in runs["metrics"].items():
        assert measured == pytest.approx(expected, abs=1e-6, rel=1e-6), name


@pytest.mark.parametrize("name", ["no seed", "made outside of the scope"])
def test_replicas_and_steps_draw_differently(runs, name):
    """The labels and scores are the same on both replicas and in both steps."""
    (first, second), (later, _) = runs["draws"][name]
    for other in (second, later):
        different = sum(a != pytest.approx(b, rel=1e-4) for a, b in zip(first, other, strict=True))
        assert different > 10
