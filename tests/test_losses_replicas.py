"""The losses and metrics over two replicas (MirroredStrategy on two logical CPUs).

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

from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)
from warptag.metrics import NPlus, OverallPrecision, PerClassPrecision, PerClassRecall

generator = np.random.default_rng(0)
images = generator.normal(size=(48, 6)).astype("float32")
# 20 tags, so that not all of them are taken up at once.
multi_hot = generator.choice([1.0, 0.0, -1.0], (48, 20), p=[0.3, 0.5, 0.2]).astype("float32")
padded_ids = np.where(multi_hot == 1, np.arange(20), -1).astype("int32")
weights = np.linspace(0.5, 2, 20)


def history(makers, strategy, in_scope=True, figures=None):
    # Of one model with an output, and a loss, of its own for every maker.
    losses = None if in_scope else {name: make() for name, make in makers.items()}
    with strategy.scope():
        losses = losses or {name: make() for name, make in makers.items()}
        first = keras.Input((6,))
        heads = {
            name: keras.layers.Dense(
                20, kernel_initializer=keras.initializers.GlorotUniform(seed=1), name=name
            )
            for name in makers
        }
        model = keras.Model(first, {name: head(first) for name, head in heads.items()})
        # Each head learns by itself: nothing but the pixels is shared.
        model.compile(
            optimizer=keras.optimizers.SGD(0.1),
            loss=losses,
            metrics=figures and {name: [figure(2) for figure in figures] for name in heads},
        )
    labels = {
        name: padded_ids if loss.labels == "ids" else multi_hot for name, loss in losses.items()
    }
    fitted = model.fit(images, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
    result = {key.removesuffix("_loss"): values for key, values in fitted.history.items()}
    if figures:
        result["evaluated"] = model.evaluate(images, labels, batch_size=16, verbose=0)
    for name, head in heads.items():
        result["kernel of " + name] = head.kernel.numpy().ravel().tolist()
    return result


deterministic = {
    "expected": lambda: WARP(rank="expected"),
    "k_order": lambda: KOrderStatisticWARP(rank="exact"),
    "lsep": LSEP,
    "binary": WeightedBinaryCrossentropy,
    "asymmetric": AsymmetricLoss,
    "tag_weights": lambda: PairwiseRanking(tag_weights=weights),
    "softmax_of_ids": lambda: MultilabelSoftmax(labels="ids"),
    "expected_of_ids": lambda: WARP(rank="expected", labels="ids"),
}
sampling = {
    "sampled_no_seed": WARP,
    "loop_seed_3": lambda: WARP(rank="loop", seed=3),
}
figures = (PerClassRecall, PerClassPrecision, OverallPrecision, NPlus)
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one = tf.distribute.get_strategy()
result = {"replicas": two.num_replicas_in_sync}
for strategy, number in ((one, "one"), (two, "two")):
    result[number] = history(deterministic, strategy)
    softmax = {"softmax": MultilabelSoftmax}
    result["figures on " + number] = history(softmax, strategy, figures=figures)
result["sampling"] = history(sampling, two)
outside = {"outside": lambda: WARP(seed=3)}
result["outside"] = history({**outside, "beside": LSEP}, two, in_scope=False)


def draws(loss, num_steps=2):
    # Of one batch, the same on both replicas: for each step the losses on each replica.
    scores = tf.constant(generator.normal(size=multi_hot.shape).astype("float32"))

    def step():
        return loss.call(multi_hot, scores)

    @tf.function
    def both():
        return two.run(step)

    return [[values.numpy().tolist() for values in both().values] for _ in range(num_steps)]


result["draws"] = {name: draws(sampling[name]()) for name in ("sampled_no_seed", "loop_seed_3")}
result["draws"]["one_negative_seed_3"] = draws(
    WARP(rank="exact", negatives="sampled", seed=3)
)
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


DETERMINISTIC = [
    "expected",
    "k_order",
    "lsep",
    "binary",
    "asymmetric",
    "tag_weights",
    "softmax_of_ids",
    "expected_of_ids",
]
SAMPLING = [
    "sampled_no_seed",
    "loop_seed_3",
]


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_two_replicas_train_as_one(runs, name):
    assert runs["replicas"] == 2
    for key in (name, "kernel of " + name):
        assert runs["two"][key] == pytest.approx(runs["one"][key], rel=1e-4, abs=1e-5), key


def test_two_replicas_measure_as_one(runs):
    one, two = runs["figures on one"], runs["figures on two"]
    assert len(one) == len(two) == 7
    for key, values in one.items():
        assert two[key] == pytest.approx(values, rel=1e-4, abs=1e-5), key


@pytest.mark.parametrize("name", SAMPLING)
def test_sampling_trains_on_two_replicas(runs, name):
    first, last = runs["sampling"][name]
    assert 0 < last < first


def test_a_loss_made_outside_of_the_scope_trains_on_two_replicas(runs):
    first, last = runs["outside"]["outside"]
    assert 0 < last < first


@pytest.mark.parametrize("name", ["sampled_no_seed", "loop_seed_3", "one_negative_seed_3"])
def test_replicas_and_steps_draw_differently(runs, name):
    """Equal labels and scores on both replicas, in both steps."""
    (first, second), (later, _) = runs["draws"][name]
    for other in (second, later):
        different = sum(a != pytest.approx(b, rel=1e-4) for a, b in zip(first, other, strict=True))
        assert different > 24
