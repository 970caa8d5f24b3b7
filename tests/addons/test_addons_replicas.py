"""Two replicas under Keras 2.15 (MirroredStrategy on two logical CPUs) measure as one.

Logical devices must be set before TensorFlow starts, so one script runs in its own process.
"""

import json
import subprocess
import sys

import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

SCRIPT = """
import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from warptag.losses import WARP
from warptag.metrics import AnnotationMetrics, annotation_metrics

generator = np.random.default_rng(0)
images = generator.normal(size=(50, 6)).astype("float32")
labels = generator.choice([1.0, 0.0, -1.0], (50, 9), p=[0.3, 0.5, 0.2]).astype("float32")
weights = generator.integers(0, 3, 50).astype("float32")

with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(9)])
    metric = AnnotationMetrics(k=2, num_images=66)
    model.compile("sgd", loss=WARP(seed=1), weighted_metrics=[metric])
model.fit(images, labels, batch_size=16, verbose=0)
measured = model.evaluate(
    images, labels, 16, sample_weight=weights, verbose=0, return_dict=True
)
scores = model.predict(images, verbose=0)
print(json.dumps([measured, annotation_metrics(labels, scores, 2, weights)]))
"""


def test_two_replicas_measure_as_one():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr[-3000:]
    measured, expected = json.loads(process.stdout.splitlines()[-1])
    assert {name: measured[name] for name in expected} == pytest.approx(expected, abs=1e-6)
