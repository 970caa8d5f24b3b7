"""Training with tensorflow-addons: its optimizers and its F1, and the example of docs/addons.md."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

import keras
import tensorflow_addons as tfa

from warptag.losses import WARP
from warptag.metrics import AnnotationMetrics

DOCS = (Path(__file__).parents[2] / "docs/addons.md").read_text(encoding="utf-8")


def test_a_loss_and_a_metric_train_with_sgdw_moving_average_and_f1(tmp_path):
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    images = generator.normal(size=(256, 12)).astype("float32")
    labels = (images @ generator.normal(size=(12, 6)) > 1.5).astype("float32")
    model = keras.Sequential([keras.layers.Input((12,)), keras.layers.Dense(6)])
    sgdw = tfa.optimizers.SGDW(weight_decay=1e-4, learning_rate=0.1, momentum=0.9)
    optimizer = tfa.optimizers.MovingAverage(sgdw, average_decay=0.9)
    f1 = tfa.metrics.F1Score(num_classes=6, average="macro", threshold=0.5)
    model.compile(optimizer, loss=WARP(seed=0), metrics=[AnnotationMetrics(k=2), f1])
    history = model.fit(images, labels, epochs=4, verbose=0).history
    for name in ("per_class_recall_at_2", "mean_average_precision", "f1_score"):
        assert history[name][-1] > history[name][0] + 0.1
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    last = model.get_weights()[0]
    optimizer.assign_average_vars(model.variables)
    assert not np.allclose(model.get_weights()[0], last, atol=1e-4)
    expected = model.evaluate(images, labels, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is WARP
    assert type(loaded.optimizer) is tfa.optimizers.MovingAverage
    measured = loaded.evaluate(images, labels, verbose=0, return_dict=True)
    del expected["loss"], measured["loss"]  # of fresh draws
    assert measured == pytest.approx(expected, rel=1e-5)


def test_the_docs_example_trains():
    example = re.search(r"<!-- addons -->\n```python\n(.*?)```", DOCS, re.DOTALL).group(1)
    names: dict = {}
    exec(example, names)
    assert names["history"].history["loss"][-1] < names["history"].history["loss"][0]
