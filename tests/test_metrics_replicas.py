"""Every metric over two replicas (MirroredStrategy on two logical CPUs) equals one replica's.

Logical devices must be set before TensorFlow starts, so one script runs in its own process.
"""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute is TensorFlow's"
)

SCRIPT = """
import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from warptag.losses import MultilabelSoftmax
from warptag.metrics import AnnotationMetrics, annotation_metrics

generator = np.random.default_rng(0)
images = generator.normal(size=(50, 6)).astype("float32")
labels = generator.choice([1.0, 0.0, -1.0], (50, 9), p=[0.3, 0.5, 0.2]).astype("float32")
weights = generator.integers(0, 3, 50).astype("float32")

with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    dense = keras.layers.Dense(9, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
    model = keras.Sequential([keras.layers.Input((6,)), dense])
    metrics = [AnnotationMetrics(k=(2, 5), num_images=66)]
    model.compile("sgd", loss=MultilabelSoftmax(), weighted_metrics=metrics)
# 50 images in batches of 16 and of 8: the last of 2 gives each replica one.
evaluated = model.evaluate(
    images, labels, sample_weight=weights, batch_size=16, verbose=0, return_dict=True
)
again = model.evaluate(
    images, labels, sample_weight=weights, batch_size=8, verbose=0, return_dict=True
)
scores = model.predict(images, verbose=0)
expected = annotation_metrics(labels, scores, k=(2, 5), sample_weight=weights)
print(json.dumps([evaluated, again, expected]))
"""


def test_two_replicas_measure_as_one():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    *runs, expected = json.loads(process.stdout.splitlines()[-1])
    for evaluated in runs:
        measured = {name: evaluated[name] for name in expected}
        assert measured == pytest.approx(expected, abs=1e-6, rel=1e-6)
