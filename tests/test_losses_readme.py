"""The README's example for Keras users."""

import re
from pathlib import Path

import keras
import numpy as np


def test_the_readmes_lines_train_save_and_load(tmp_path, monkeypatch):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (code,) = (block for block in blocks if "tagger.keras" in block)
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(96, 10)).astype("float32")
    labels = (features @ generator.normal(size=(10, 7)) > 2).astype("float32")
    names = {"num_tags": 7, "features": features, "multi_hot_labels": labels}
    keras.utils.set_random_seed(0)
    exec(code, names)
    history = names["model"].history.history
    assert history["loss"][-1] < history["loss"][0]
    assert history["per_class_recall_at_3"][-1] > history["per_class_recall_at_3"][0]
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    np.testing.assert_allclose(
        loaded.predict(features, verbose=0),
        names["model"].predict(features, verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )
