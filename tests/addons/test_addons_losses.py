"""The losses under TensorFlow 2.15 and Keras 2.15: values, draws, gradients and saving."""

from functools import partial

import numpy as np
import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

import keras
import losses_references as references
import tensorflow as tf

from warptag import losses as package
from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)

PLACES = (1.0, 0.0, 3.0)


def pairwise(weight):
    return partial(references.pairwise, weight=weight, normalization="violators")


k_order = partial(
    references.k_order, weight=references.weight_exact, normalization="violators", places=PLACES
)
# The deterministic losses with the paper's equations written out.
REFERENCES = {
    "softmax": (MultilabelSoftmax(), references.softmax),
    "ranking": (PairwiseRanking(), pairwise(references.weight_one)),
    "exact": (WARP(rank="exact"), pairwise(references.weight_exact)),
    "expected": (WARP(rank="expected"), pairwise(references.weight_expected)),
    "k-order": (KOrderStatisticWARP(PLACES, rank="exact"), k_order),
    "lsep": (LSEP(), references.lsep),
    "bce": (WeightedBinaryCrossentropy(), references.binary_crossentropy),
    "asymmetric": (AsymmetricLoss(), references.asymmetric),
}
# The sampling losses with their first sum over `batch()` under Keras 3.15 and TensorFlow 2.21.
DRAWN = {
    "sampled": (partial(WARP, seed=1), 48.600708971443254),
    "loop": (partial(WARP, rank="loop", seed=1), 53.345709661555446),
    "one-negative": (partial(WARP, negatives="sampled", seed=1), 43.95226519539331),
    "k-order": (partial(KOrderStatisticWARP, seed=1), 61.48981607402319),
}
EVERY_CLASS = [getattr(package, name) for name in package.__all__]
every_class = pytest.mark.parametrize("kind", EVERY_CLASS)


def batch(num_tags=9):
    """Labels of all three kinds and scores; the first rows lack positives or negatives."""
    generator = np.random.default_rng(0)
    labels = generator.choice([1.0, 0.0, -1.0], (16, num_tags), p=[0.3, 0.5, 0.2])
    labels[0], labels[1], labels[2] = 1, 0, -1
    return labels, generator.normal(size=(16, num_tags)) * 1.5


@pytest.mark.parametrize("num_tags", [9, 24])
@pytest.mark.parametrize("name", REFERENCES)
def test_a_loss_is_its_equation_eagerly_and_in_a_graph(name, num_tags):
    """The positives of 24 tags can be more than one chunk of the pairwise losses."""
    loss, reference = REFERENCES[name]
    if name == "k-order":
        loss = KOrderStatisticWARP.from_config(loss.get_config())
    labels, scores = batch(num_tags)
    expected = reference(labels, scores)
    np.testing.assert_allclose(loss.call(labels, scores), expected, atol=1e-12)
    graph = tf.function(loss.call)
    np.testing.assert_allclose(
        graph(tf.constant(labels), tf.constant(scores)), expected, atol=1e-12
    )


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_draws_what_it_draws_under_keras_3(name):
    make, expected = DRAWN[name]
    data = [tf.constant(one) for one in batch()]
    for call in (make().call, tf.function(make().call)):
        first, second = (float(tf.reduce_sum(call(*data))) for _ in range(2))
        assert first == pytest.approx(expected, rel=1e-12)
        assert second != pytest.approx(expected, rel=1e-3)


@every_class
def test_every_gradient_is_finite_where_nothing_can_be_compared(kind):
    labels, scores = (tf.constant(one[:3]) for one in batch())
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = kind()(labels, scores)
    assert np.isfinite(tape.gradient(loss, scores)).all()


@every_class
def test_padded_ids_are_the_multi_hot_labels(kind):
    options = {"rank": "exact"} if issubclass(kind, WARP) else {}
    scores = batch()[1][:2]
    multi_hot = [[0, 1, 0, 0, 1, 0, 0, 0, 0], [0] * 9]
    ids = [[4, -1, 1], [-1, -1, -1]]
    expected = kind(**options).call(multi_hot, scores)
    np.testing.assert_allclose(kind(labels="ids", **options).call(ids, scores), expected)


@every_class
def test_a_saved_model_keeps_its_loss_and_continues_training(kind, tmp_path):
    labels, scores = batch()
    loss = kind(tag_weights=np.linspace(0, 2, 9), reduction="sum", name="mine")
    model = keras.Sequential([keras.layers.Input((9,)), keras.layers.Dense(9)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is kind
    assert loaded.loss.get_config() == loss.get_config()
    loaded.fit(scores, labels, verbose=0)


def test_reductions_and_sample_weights():
    labels, scores = batch()
    per_image = PairwiseRanking(dtype="float64").call(labels, scores)
    weights = np.linspace(0, 2, 16)
    expected = {
        "sum_over_batch_size": np.mean(per_image * weights),
        "sum": np.sum(per_image * weights),
        "none": per_image * weights,
        None: per_image * weights,
    }
    for reduction, value in expected.items():
        loss = PairwiseRanking(reduction=reduction, dtype="float64")
        np.testing.assert_allclose(loss(labels, scores, sample_weight=weights), value)
    with pytest.raises(ValueError, match="mean_with_sample_weight"):
        PairwiseRanking(reduction="mean_with_sample_weight")


def test_an_invalid_label_is_refused_and_in_a_graph_nan():
    with pytest.raises(ValueError, match="labels must be 1, 0 or -1"):
        WARP()([[1, 2]], [[0.5, 2.0]])
    graph = tf.function(WARP().call)
    assert np.isnan(graph(tf.constant([[1.0, 2.0]]), tf.constant([[0.5, 2.0]]))).all()
