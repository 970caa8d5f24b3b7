"""The losses in `fit`: lower from epoch to epoch, at every precision, with ids of any width."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from losses_cases import LOSSES
from losses_support import BACKEND

from warptag.metrics import PerClassRecall

FITS = [(name, BACKEND == "jax") for name in ("softmax", "sampled", "bce")]
if BACKEND == "tensorflow":
    FITS += [("loop", True)]


def learnable_images():
    """Images whose tags depend on their pixels, with one tag that is always unknown."""
    generator = np.random.default_rng(0)
    images = generator.normal(size=(128, 10)).astype("float32")
    labels = (images @ generator.normal(size=(10, 8)) > 2).astype("float32")
    labels[:, 3] = -1
    return images, labels


def small_model(loss, **arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(8)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, **arguments)
    return model


@pytest.mark.parametrize(("name", "jit_compile"), FITS)
def test_fit_reaches_a_lower_loss(name, jit_compile):
    images, labels = learnable_images()
    model = small_model(LOSSES[name](), jit_compile=jit_compile)
    losses = model.fit(images, labels, batch_size=32, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    # A mean over tags has small gradients.
    assert losses[-1] < (0.95 if name == "bce" else 0.8) * losses[0]


def test_a_diverged_model_is_not_the_best_one():
    images, labels = learnable_images()
    model = small_model(LOSSES["sampled"](), metrics=[PerClassRecall(k=3)])

    class Diverge(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])

    data = {"validation_data": (images, labels), "epochs": 4, "verbose": 0}
    keeping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    stopping = keras.callbacks.TerminateOnNaN()
    if BACKEND == "torch":
        # Metrics raise an error there, since nothing is compiled.
        with pytest.raises(ValueError, match="NaN"):
            model.fit(images, labels, callbacks=[Diverge()], **data)
        return
    history = model.fit(images, labels, callbacks=[Diverge(), keeping], **data).history
    assert np.isnan(history["loss"][1:]).all() and np.isnan(history["val_loss"][1:]).all()
    assert np.isnan(history["per_class_recall_at_3"][1:]).all()
    assert np.isfinite(model.get_weights()[0]).all()
    history = model.fit(images, labels, callbacks=[Diverge(), stopping], **data).history
    assert len(history["loss"]) == 2


@pytest.mark.parametrize(
    ("name", "policy"), [("softmax", "mixed_bfloat16"), ("sampled", "mixed_float16")]
)
def test_mixed_precision_trains_without_nan(name, policy):
    images, labels = learnable_images()
    keras.config.set_dtype_policy(policy)
    try:
        loss = LOSSES[name]()
        model = small_model(loss)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.layers[-1].compute_dtype == policy.removeprefix("mixed_")
    losses = model.fit(images, labels, batch_size=32, epochs=4, verbose=0).history["loss"]
    assert loss.dtype == "float32"
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    assert np.isfinite(model.get_weights()[0]).all()


def test_fit_accepts_batches_of_ids_of_any_width():
    """As from `padded_batch` of `tf.data`, with a width that no graph knows."""
    import tensorflow as tf

    images, labels = learnable_images()
    ids = [np.flatnonzero(row == 1).astype("int32") for row in labels]
    batches = tf.data.Dataset.from_generator(
        lambda: zip(images, ids, strict=True),
        output_signature=(tf.TensorSpec((10,)), tf.TensorSpec((None,), "int32")),
    ).padded_batch(32, padding_values=(0.0, tf.constant(-1, "int32")))
    batches = batches.apply(tf.data.experimental.assert_cardinality(4))
    assert len({ids.shape[1] for _, ids in batches}) > 1
    model = small_model(LOSSES["sampled"](labels="ids"))
    losses = model.fit(batches, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_the_readmes_lines_train_save_and_load(tmp_path, monkeypatch):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (code,) = (block for block in blocks if "tagger.keras" in block)
    monkeypatch.chdir(tmp_path)
    images, labels = learnable_images()
    names = {"num_tags": 8, "features": images, "multi_hot_labels": labels}
    keras.utils.set_random_seed(0)
    exec(code, names)
    history = names["model"].history.history
    assert history["loss"][-1] < history["loss"][0]
    assert history["per_class_recall_at_3"][-1] > history["per_class_recall_at_3"][0]
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    expected = names["model"].predict(images, verbose=0)
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-6)
