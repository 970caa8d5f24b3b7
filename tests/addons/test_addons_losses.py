"""The losses under TensorFlow 2.15 and Keras 2.15: values, draws, gradients and saving."""

import numpy as np
import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

import keras
import tensorflow as tf
from losses_cases import DETERMINISTIC, SAMPLED, every_deterministic_loss

from warptag import losses as package
from warptag.losses import WARP, PairwiseRanking

# The first sums over `batch()` under Keras 3.15 and TensorFlow 2.21.
DRAWN = {
    "sampled": 48.600708971443254,
    "loop": 53.345709661555446,
    "one-negative": 43.95226519539331,
    "k-order-sampled": 61.48981607402319,
}
every_class = pytest.mark.parametrize("kind", [getattr(package, name) for name in package.__all__])


def batch(num_tags=9):
    """Labels of all three kinds and scores; the first rows lack positives or negatives."""
    generator = np.random.default_rng(0)
    labels = generator.choice([1.0, 0.0, -1.0], (16, num_tags), p=[0.3, 0.5, 0.2])
    labels[0], labels[1], labels[2] = 1, 0, -1
    return labels, generator.normal(size=(16, num_tags)) * 1.5


@every_deterministic_loss
def test_a_loss_is_its_equation_eagerly_and_in_a_graph(name):
    make, reference = DETERMINISTIC[name]
    # The positives of 24 tags can be more than one chunk of the pairwise losses.
    labels, scores = batch(num_tags=24)
    expected = reference(labels, scores)
    for call in (make().call, tf.function(make().call)):
        values = call(tf.constant(labels), tf.constant(scores))
        np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_draws_what_it_draws_under_keras_3(name):
    data = [tf.constant(one) for one in batch()]
    for call in (SAMPLED[name]().call, tf.function(SAMPLED[name]().call)):
        first, second = (float(tf.reduce_sum(call(*data))) for _ in range(2))
        assert first == pytest.approx(DRAWN[name], rel=1e-12)
        assert second != pytest.approx(DRAWN[name], rel=1e-3)


@every_class
def test_every_gradient_is_finite_where_nothing_can_be_compared(kind):
    labels, scores = (tf.constant(one[:3]) for one in batch())
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = kind()(labels, scores)
    assert np.isfinite(tape.gradient(loss, scores)).all()


@every_class
def test_a_saved_model_keeps_its_loss_and_continues_training(kind, tmp_path):
    _, scores = batch()
    loss = kind(tag_weights=np.linspace(0, 2, 9), reduction="sum", name="mine", labels="ids")
    model = keras.Sequential([keras.layers.Input((9,)), keras.layers.Dense(9)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is kind
    assert loaded.loss.get_config() == loss.get_config()
    ids = np.tile([4, -1, 1], (16, 1))
    assert np.isfinite(loaded.fit(scores, ids, verbose=0).history["loss"]).all()


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
    with pytest.raises(ValueError, match="got 2"):
        WARP()([[1, 2]], [[0.5, 2.0]])
    graph = tf.function(WARP().call)
    assert np.isnan(graph(tf.constant([[1.0, 2.0]]), tf.constant([[0.5, 2.0]]))).all()
