"""The Keras metrics: equal to annotation_report however they are fed, compiled, saved."""

import keras
import numpy as np
import pytest
from test_metrics_counts import random_batch, report_reference

from warptag.losses import WARP
from warptag.metrics import (
    NPlus,
    OverallPrecision,
    OverallRecall,
    PerClassPrecision,
    PerClassRecall,
    annotation_report,
)

METRICS = {
    "per_class_recall": PerClassRecall,
    "per_class_precision": PerClassPrecision,
    "overall_recall": OverallRecall,
    "overall_precision": OverallPrecision,
    "n_plus": NPlus,
}
# JAX has no float64 unless its users switch it on.
WIDEST = "float32" if keras.backend.backend() == "jax" else "float64"
BACKEND = keras.backend.backend()
every_metric = pytest.mark.parametrize("figure", METRICS)


def fed(metric, labels, scores, sizes=(40,)):
    """The metric's result after batches of these sizes."""
    start = 0
    for size in sizes:
        metric.update_state(labels[start : start + size], scores[start : start + size])
        start += size
    return float(metric.result())


@every_metric
@pytest.mark.parametrize("k", [1, 3, 11])
@pytest.mark.parametrize("unknown", [0.0, 0.3])
@pytest.mark.parametrize("sizes", [(40,), (1, 7, 32), (16, 16, 8)])
def test_metrics_agree_with_the_report(figure, k, unknown, sizes):
    labels, scores = random_batch(seed=1, unknown=unknown)
    expected = annotation_report(labels, scores, k)[figure] / 100
    assert fed(METRICS[figure](k), labels, scores, sizes) == pytest.approx(expected, abs=1e-6)


@every_metric
def test_values_by_hand(figure):
    # Tags 0, 1, 3 occur; given are {0, 1}, {0, 2}, {0, 1}; correct are 0, 1 and 0.
    labels = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    scores = [[9.0, 8, 2, 1], [9, 1, 8, 2], [9, 8, 2, 1]]
    expected = {
        "per_class_recall": (2 / 2 + 1 / 1 + 0 / 1) / 3,
        "per_class_precision": (2 / 3 + 1 / 2 + 0) / 3,
        "overall_recall": (2 + 1) / (2 + 1 + 1),
        "overall_precision": (2 + 1) / (3 * 2),
        "n_plus": 2 / 3,
    }
    assert float(METRICS[figure](2)(labels, scores)) == pytest.approx(expected[figure])


@every_metric
def test_whole_weights_count_an_image_that_often(figure):
    labels, scores = random_batch(seed=2)
    weight = np.random.default_rng(0).integers(0, 4, 40)
    expected = report_reference(labels.repeat(weight, 0), scores.repeat(weight, 0), 3)[figure]
    for shape in ((40,), (40, 1)):
        metric = METRICS[figure](3)
        metric.update_state(labels, scores, sample_weight=weight.reshape(shape))
        assert float(metric.result()) == pytest.approx(expected / 100, abs=1e-6)


@every_metric
def test_reset_starts_again_and_nothing_seen_is_zero(figure):
    labels, scores = random_batch(seed=3)
    metric = METRICS[figure](3)
    assert float(metric.result()) == 0.0
    metric.reset_state()
    first = fed(metric, labels, scores)
    assert first > 0
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert fed(metric, labels, scores) == first


@every_metric
@pytest.mark.parametrize("label", [0, -1])
def test_without_a_positive_image_the_result_is_zero(figure, label):
    assert float(METRICS[figure](2)(np.full((3, 4), label), np.ones((3, 4)))) == 0.0


@pytest.mark.parametrize("jit_compile", [False, True])
def test_ties_go_to_the_lower_tag(jit_compile):
    """With XLA too, which sorts -0.0 below 0.0."""
    if jit_compile and BACKEND == "torch":
        pytest.skip("XLA compiles for TensorFlow and JAX")
    metric = OverallPrecision(1)
    metric([[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]])
    update = compiled_update(metric) if jit_compile else metric.update_state
    for scores in ([-0.0, 0.0, 0.0], [0.0, -0.0, 0.0], [2.0, 2.0, 2.0]):
        metric.reset_state()
        update(np.array([[1.0, 0.0, 0.0]], "float32"), np.array([scores], "float32"))
        assert float(metric.result()) == 1.0


def compiled_update(metric):
    """update_state as XLA compiles it."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(metric.update_state, jit_compile=True)
    import jax

    step = jax.jit(metric.stateless_update_state)

    def update(labels, scores):
        values = step([variable.value for variable in metric.variables], labels, scores)
        for variable, value in zip(metric.variables, values, strict=True):
            variable.assign(value)

    return update


def test_a_known_tag_at_minus_infinity_ranks_above_unknown_ones():
    labels, scores = [[-1, -1, 1]], [[0.0, -np.inf, -np.inf]]
    assert annotation_report(labels, scores, 1)["overall_precision"] == 100.0
    assert float(OverallPrecision(1)(labels, scores)) == 1.0


@every_metric
@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float16", "float64"])
def test_labels_of_every_type_are_taken(figure, kind):
    labels, scores = random_batch(seed=4, unknown=0.0)
    labels[0] = 0
    expected = annotation_report(labels, scores, 3)[figure] / 100
    result = METRICS[figure](3)(labels.astype(kind), scores)
    assert float(result) == pytest.approx(expected, abs=1e-6)


@every_metric
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", WIDEST])
def test_counts_outgrow_half_precision(figure, dtype):
    # float16 stops counting at 2048; here 3000 images get tag 0 and 1000 of them have tag 1.
    labels, scores = np.zeros((3000, 2)), np.tile([2.0, 1.0], (3000, 1))
    labels[:1000, 1] = labels[1000:, 0] = 1
    metric = METRICS[figure](1, dtype=dtype)
    for start in range(0, 3000, 100):
        metric.update_state(labels[start : start + 100], scores[start : start + 100])
    assert keras.backend.standardize_dtype(metric.result().dtype) == dtype
    expected = annotation_report(labels, scores, 1)[figure] / 100
    assert float(metric.result()) == pytest.approx(expected, rel=0.01)


def learnable_images():
    generator = np.random.default_rng(0)
    images = generator.normal(size=(200, 10)).astype("float32")
    labels = (images @ generator.normal(size=(10, 8)) > 2).astype("float32")
    labels[generator.random(labels.shape) < 0.1] = -1
    return images, labels


def compiled_model(**arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(8)])
    metrics = [metric(k=2) for metric in METRICS.values()]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=WARP(), metrics=metrics, **arguments)
    return model


def assert_evaluates_to_the_report(model, images, labels, batch_size):
    evaluated = model.evaluate(images, labels, batch_size, verbose=0, return_dict=True)
    expected = annotation_report(labels, model.predict(images, verbose=0), 2)
    for figure in METRICS:
        assert evaluated[f"{figure}_at_2"] == pytest.approx(expected[figure] / 100, abs=1e-6)


# Of 200 images. XLA compiles for seconds, and again for a smaller last batch.
FITS = [(False, 64)] if BACKEND == "torch" else [(False, 64), (True, 100)]


@pytest.mark.parametrize(("jit_compile", "batch_size"), FITS)
def test_fit_evaluate_and_predict_agree(jit_compile, batch_size):
    images, labels = learnable_images()
    model = compiled_model(jit_compile=jit_compile)
    history = model.fit(images, labels, batch_size, epochs=12, verbose=0).history
    assert history["overall_recall_at_2"][-1] > history["overall_recall_at_2"][0]
    assert all(len(history[f"{figure}_at_2"]) == 12 for figure in METRICS)
    assert_evaluates_to_the_report(model, images, labels, batch_size)


def test_a_saved_model_keeps_its_metrics(tmp_path):
    images, labels = learnable_images()
    model = compiled_model()
    model.fit(images, labels, batch_size=100, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_evaluates_to_the_report(loaded, images, labels, batch_size=100)
    loaded.fit(images, labels, batch_size=100, verbose=0)


@every_metric
def test_the_configuration_goes_round(figure):
    metric = METRICS[figure](k=np.arange(5).max(), name="mine", dtype=WIDEST)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is METRICS[figure]
    assert again.get_config() == metric.get_config()
    assert (again.k, again.name, again.dtype) == (4, "mine", WIDEST)
    assert METRICS[figure](5).name == f"{figure}_at_5"


@every_metric
@pytest.mark.parametrize("k", [0, -1, 2.0, "3", None, True])
def test_a_k_that_is_no_positive_integer_is_named(figure, k):
    with pytest.raises(ValueError, match=f"k must be a positive integer, got {k!r}"):
        METRICS[figure](k)


@every_metric
def test_a_k_above_the_number_of_tags_is_named(figure):
    with pytest.raises(ValueError, match=r"at most the number of tags \(4\), got 5"):
        METRICS[figure](5)(np.zeros((2, 4)), np.zeros((2, 4)))


@every_metric
@pytest.mark.parametrize(
    ("labels_shape", "scores_shape"), [((4, 3), (4, 5)), ((1, 5), (4, 5)), ((5,), (4, 5))]
)
def test_shapes_that_do_not_fit_are_named(figure, labels_shape, scores_shape):
    with pytest.raises(ValueError) as error:
        METRICS[figure](2)(np.zeros(labels_shape), np.zeros(scores_shape))
    assert str(labels_shape) in str(error.value) and str(scores_shape) in str(error.value)


def test_weights_of_tags_and_another_number_of_tags_are_refused():
    labels, scores = random_batch(seed=5)
    metric = OverallRecall(3)
    with pytest.raises(ValueError, match=r"sample_weight must be \(batch,\), got shape \(40, 11\)"):
        metric.update_state(labels, scores, sample_weight=np.ones(labels.shape))
    metric.update_state(labels, scores)
    with pytest.raises(ValueError, match="the 11 tags of the batches before, got 4"):
        metric.update_state(labels[:, :4], scores[:, :4])
