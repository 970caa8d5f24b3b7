"""Losses and metrics on two replicas (MirroredStrategy on two logical CPUs).

Logical devices must be set before TensorFlow starts, so one script runs in its own process.
"""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has MirroredStrategy"
)

SCRIPT = """
import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from warptag.losses import WARP, KOrderStatisticWARP, MultilabelSoftmax
from warptag.metrics import AnnotationMetrics, annotation_metrics

generator = np.random.default_rng(0)
images = generator.normal(size=(50, 6)).astype("float32")
# 20 tags, so that the positives of some images are more than one chunk.
labels = generator.choice([1.0, 0.0, -1.0], (50, 20), p=[0.3, 0.5, 0.2]).astype("float32")
ids = np.where(labels == 1, np.arange(20), -1).astype("int32")
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one = tf.distribute.get_strategy()


def model_of(losses, **options):
    # One head per loss, without shared weights.
    inputs = keras.Input((6,))
    outputs = {
        name: keras.layers.Dense(
            20, kernel_initializer=keras.initializers.GlorotUniform(seed=1), name=name
        )(inputs)
        for name in losses
    }
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=losses, **options)
    return model


def fit(model, losses, epochs):
    targets = {name: ids if loss.labels == "ids" else labels for name, loss in losses.items()}
    targets = {name: values[:48] for name, values in targets.items()}
    fitted = model.fit(
        images[:48], targets, batch_size=16, epochs=epochs, shuffle=False, verbose=0
    )
    return {name: fitted.history[f"{name}_loss"] for name in losses}


def deterministic(strategy):
    with strategy.scope():
        losses = {
            "k_order": KOrderStatisticWARP(
                rank="expected", tag_weights=np.linspace(0.5, 2, 20)
            ),
            "softmax_of_ids": MultilabelSoftmax(labels="ids"),
        }
        model = model_of(losses)
    history = fit(model, losses, epochs=1)
    kernels = {name: model.get_layer(name).kernel.numpy().tolist() for name in losses}
    return {name: [history[name], kernels[name]] for name in losses}


result = {"one": deterministic(one), "two": deterministic(two)}

outside = WARP(rank="loop", seed=3)
with two.scope():
    sampling = {"no_seed": WARP(), "made_outside_of_the_scope": outside}
    metrics = {"no_seed": [AnnotationMetrics(k=(2, 5), num_images=66)]}
    model = model_of(sampling, weighted_metrics=metrics)
result["sampling"] = fit(model, sampling, epochs=2)
# Batches of 16 of 50 images: the last one has one image per replica.
weights = generator.integers(0, 3, 50).astype("float32")
evaluated = model.evaluate(
    images,
    {name: labels for name in sampling},
    sample_weight={name: weights for name in sampling},
    batch_size=16,
    verbose=0,
    return_dict=True,
)
scores = model.predict(images, verbose=0)["no_seed"]
result["metrics"] = {
    name: [evaluated[name], value]
    for name, value in annotation_metrics(labels, scores, (2, 5), weights).items()
}


def draws(loss, num_steps=2):
    # The losses of one batch, the same on both replicas, for each step.
    scores = tf.constant(generator.normal(size=(50, 16)).astype("float32"))

    @tf.function
    def both():
        return two.run(lambda: loss.call(labels[:, :16], scores))

    return [[values.numpy().tolist() for values in both().values] for _ in range(num_steps)]


result["draws"] = {
    "no_seed": draws(sampling["no_seed"]),
    "one_negative": draws(WARP(rank="exact", negatives="sampled", seed=3)),
}
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
    for name, (history, kernel) in runs["one"].items():
        assert runs["two"][name][0] == pytest.approx(history, rel=1e-4, abs=1e-5), name
        for ours, theirs in zip(runs["two"][name][1], kernel, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5), name


def test_two_replicas_measure_as_one(runs):
    assert len(runs["metrics"]) == 16
    for name, (measured, expected) in runs["metrics"].items():
        assert measured == pytest.approx(expected, abs=1e-6, rel=1e-6), name


def test_sampling_trains_on_two_replicas(runs):
    for first, last in runs["sampling"].values():
        assert 0 < last < first


@pytest.mark.parametrize("name", ["no_seed", "one_negative"])
def test_replicas_and_steps_draw_differently(runs, name):
    """The labels and scores are the same on both replicas and in both steps."""
    (first, second), (later, _) = runs["draws"][name]
    for other in (second, later):
        different = sum(a != pytest.approx(b, rel=1e-4) for a, b in zip(first, other, strict=True))
        assert different > 10
