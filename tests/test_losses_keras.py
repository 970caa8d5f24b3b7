"""The losses inside Keras: graphs, fit, seeds, saving, weights, dtypes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_losses_reference import random_batch

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking
from warptag.losses.warp import NEGATIVES, RANKS

LOSSES = [
    MultilabelSoftmax(),
    PairwiseRanking(),
    *(WARP(rank=rank, negatives=negatives, seed=3) for rank in RANKS for negatives in NEGATIVES),
]
names = [
    "-".join([loss.name, getattr(loss, "rank", ""), getattr(loss, "negatives", "")])
    for loss in LOSSES
]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=names)


def fresh(loss):
    return type(loss).from_config(loss.get_config())


def float32_batch(**arguments):
    return [values.astype("float32") for values in random_batch(**arguments)]


def learnable_images():
    """Images whose tags depend on their pixels, one tag always unknown."""
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


@every_loss
def test_fit_reaches_a_lower_loss(loss):
    images, labels = learnable_images()
    model = small_model(fresh(loss))
    losses = model.fit(images, labels, batch_size=32, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]


@every_loss
def test_a_graph_gives_the_eager_value_for_batches_of_any_size(loss):
    eager, compiled = fresh(loss), fresh(loss)
    labels_spec, scores_spec = tf.TensorSpec((None, None)), tf.TensorSpec((None, 9))
    graph = tf.function(compiled.call, input_signature=[labels_spec, scores_spec])
    for num_images in (16, 5):
        labels, scores = float32_batch(num_images=num_images)
        values = graph(labels, scores)
        assert values.shape == (num_images,)
        np.testing.assert_allclose(values, eager.call(labels, scores), rtol=1e-5)


@pytest.mark.parametrize("rank", RANKS)
def test_xla_compiles_every_rank(rank):
    labels, scores = float32_batch()
    loss = WARP(rank=rank, normalization="none", seed=3)
    values = tf.function(loss.call, jit_compile=True)(labels, scores)
    if rank in ("exact", "expected"):
        np.testing.assert_allclose(values, loss.call(labels, scores), rtol=1e-5)
    ranking = np.asarray(PairwiseRanking(normalization="none").call(labels, scores))
    # 0 <= L(r) <= L(c - 1) < 3 for nine tags
    assert (np.asarray(values) <= 3 * ranking).all() and np.asarray(values).any()


SAMPLING = [
    {"rank": "sampled"},
    {"rank": "loop"},
    {"rank": "exact", "negatives": "sampled"},
]


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("options", SAMPLING)
def test_draws_are_fresh_every_step_and_repeat_with_the_seed(options, in_graph):
    labels, scores = float32_batch(num_images=64)

    def steps(seed):
        loss = WARP(seed=seed, **options)
        call = tf.function(loss.call) if in_graph else loss.call
        return [np.asarray(call(labels, scores)) for _ in range(3)]

    first, same, other = steps(3), steps(3), steps(4)
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first[0], first[1]) and not np.array_equal(first[1], first[2])
    assert not np.array_equal(first[0], other[0])


def test_no_seed_follows_the_global_one():
    labels, scores = float32_batch(num_images=64)

    def draw(seed):
        keras.utils.set_random_seed(seed)
        return np.asarray(WARP().call(labels, scores))

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


def test_training_with_a_seed_repeats():
    images, labels = learnable_images()

    def trained():
        model = small_model(WARP(rank="loop", seed=7))
        model.fit(images, labels, batch_size=32, epochs=2, verbose=0)
        return model.get_weights()[0]

    np.testing.assert_array_equal(trained(), trained())


@pytest.mark.parametrize(
    "loss",
    [MultilabelSoftmax(), PairwiseRanking(0.5), WARP(0.5, seed=3), WARP(rank="loop", seed=3)],
)
def test_a_saved_model_keeps_its_loss(loss, tmp_path):
    images, labels = learnable_images()
    model = small_model(fresh(loss))
    model.fit(images, labels, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is type(loss)
    assert loaded.loss.get_config() == loss.get_config()
    scores = loaded.predict(images, verbose=0)
    np.testing.assert_array_equal(loaded.loss(labels, scores), fresh(loss)(labels, scores))
    # Training goes on.
    loaded.fit(images, labels, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "loss",
    [
        MultilabelSoftmax(reduction="sum", name="mine", dtype="float64"),
        PairwiseRanking(0.5, "pairs", reduction="none", name="mine", dtype="float64"),
        WARP(0.5, "loop", "sampled", "positives", 7, "sum", "mine", "bfloat16"),
        WARP(margin=np.ones(1, "float32")[0]),
    ],
)
def test_the_configuration_goes_round(loss):
    config = keras.saving.serialize_keras_object(loss)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    for attribute in ("dtype", "name", "reduction", "margin", "rank", "negatives", "seed"):
        assert getattr(again, attribute, None) == getattr(loss, attribute, None)


@every_loss
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_the_reduced_loss_has_the_dtype_asked_for(loss, dtype):
    """One image and one pair, whose loss is 1 - 0.5 + 2 however it is drawn."""
    value = type(loss)(**{**loss.get_config(), "dtype": dtype})([[1, 0]], [[0.5, 2.0]])
    assert value.dtype.name == dtype
    expected = np.log1p(np.exp(1.5)) if isinstance(loss, MultilabelSoftmax) else 1 - 0.5 + 2
    assert float(value) == pytest.approx(expected, rel=0.01)


@every_loss
def test_sample_weights_and_reductions(loss):
    labels, scores = random_batch()
    per_image = np.asarray(fresh(loss).call(labels.astype("float32"), scores.astype("float32")))
    weight = np.linspace(0, 2, 16)
    reduced = {
        reduction: type(loss)(**{**loss.get_config(), "reduction": reduction})(
            labels, scores, sample_weight=weight
        )
        for reduction in ("sum_over_batch_size", "sum", "none")
    }
    np.testing.assert_allclose(reduced["none"], per_image * weight, rtol=1e-5)
    np.testing.assert_allclose(reduced["sum"], (per_image * weight).sum(), rtol=1e-5)
    mean = (per_image * weight).sum() / 16
    np.testing.assert_allclose(reduced["sum_over_batch_size"], mean, rtol=1e-5)
