"""The Keras metrics: equal to the NumPy functions however they are fed, compiled, saved."""

import keras
import numpy as np
import pytest
from test_metrics_counts import LABELS, SCORES, random_batch

from warptag.losses import WARP
from warptag.metrics import (
    AnnotationMetrics,
    CoverageError,
    MeanAveragePrecision,
    NPlus,
    OverallF1,
    OverallPrecision,
    OverallRecall,
    PerClassF1,
    PerClassPrecision,
    PerClassRecall,
    annotation_metrics,
    annotation_report,
)

BACKEND = keras.backend.backend()
# JAX has no float64 unless its users enable it.
WIDEST = "float32" if BACKEND == "jax" else "float64"
TOP_K = [
    PerClassRecall,
    PerClassPrecision,
    PerClassF1,
    OverallRecall,
    OverallPrecision,
    OverallF1,
    NPlus,
]


def values(result):
    return {name: float(value) for name, value in result.items()}


def test_every_metric_is_the_numpy_function():
    labels, scores = random_batch(seed=4)
    weights, sizes = np.random.default_rng(0).integers(0, 4, 40), (1, 7, 32)
    singles = [metric(3) for metric in TOP_K]
    singles += [MeanAveragePrecision(100), CoverageError()]
    every = AnnotationMetrics(k=(3, 5), num_images=100)
    assert set(values(every.result()).values()) == {0.0}
    assert {float(metric.result()) for metric in singles} == {0.0}
    for _ in range(2):
        for start, end in zip(np.cumsum((0, *sizes)), np.cumsum(sizes), strict=False):
            batch = labels[start:end], scores[start:end], weights[start:end]
            for metric in (every, *singles):
                metric.update_state(*batch)
        result = values(every.result())
        expected = annotation_metrics(labels, scores, k=(3, 5), sample_weight=weights)
        assert list(result) == list(expected)
        assert result == pytest.approx(expected, abs=1e-6, rel=1e-6)
        measured = {metric.name: float(metric.result()) for metric in singles}
        assert measured == pytest.approx({name: expected[name] for name in measured}, abs=1e-6)
        # The second time from the start.
        for metric in (every, *singles):
            metric.reset_state()


PRECISION, RECALL = (2 / 3 + 1 / 2 + 0) / 3, (2 / 2 + 1 / 1 + 0 / 1) / 3


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (PerClassF1(2), 2 * PRECISION * RECALL / (PRECISION + RECALL)),
        # Tag 0: P 2/3, R 1; tag 1: P 1/2, R 1; tag 3 is never given.
        (
            PerClassF1(2, average="tags"),
            (2 * (2 / 3) / (2 / 3 + 1) + 2 * (1 / 2) / (1 / 2 + 1)) / 3,
        ),
        (OverallF1(2), 2 * (3 / 6) * (3 / 4) / (3 / 6 + 3 / 4)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_values_of_f1_by_hand(metric, expected):
    assert float(metric(LABELS, np.array(SCORES, "float32"))) == pytest.approx(expected)


@pytest.mark.parametrize("labels", [[[0, 1]] * 2, [[0, 0], [-1, -1]]], ids=["wrong", "none"])
def test_nothing_correct_is_zero_and_not_nan(labels):
    scores = [[2.0, 1.0], [2.0, 1.0]]
    metrics = AnnotationMetrics(k=1, num_images=None), PerClassF1(1, average="tags")
    result = {**values(metrics[0](labels, scores)), "macro": float(metrics[1](labels, scores))}
    result.pop("coverage_error")
    assert set(result.values()) == {0.0}


def test_mean_average_precision_can_be_left_out():
    labels, scores = random_batch()
    metric = AnnotationMetrics(k=3, num_images=None)
    assert "mean_average_precision" not in metric(labels, scores)
    # No variable is as long as the number of images.
    assert max(np.prod(variable.shape) for variable in metric.variables) == labels.shape[1]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_ties_go_to_the_lower_tag(jit_compile):
    """Also with XLA, which sorts -0.0 below 0.0."""
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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", WIDEST])
def test_counts_exceed_half_precision(dtype):
    # float16 stops counting at 2048; here 3000 images get tag 0 and 1000 of them have tag 1.
    labels, scores = np.zeros((3000, 2)), np.tile([2.0, 1.0], (3000, 1))
    labels[:1000, 1] = labels[1000:, 0] = 1
    one = PerClassRecall(1, dtype=dtype)
    for start in range(0, 3000, 500):
        one.update_state(labels[start : start + 500], scores[start : start + 500])
    assert keras.backend.standardize_dtype(one.result().dtype) == dtype
    expected = annotation_report(labels, scores, 1)["per_class_recall"] / 100
    assert float(one.result()) == pytest.approx(expected, rel=0.01)


# XLA as well, which compiles for many seconds.
WITH_XLA = pytest.param(True, marks=pytest.mark.slow)


@pytest.mark.parametrize("jit_compile", {"tensorflow": [False, WITH_XLA]}.get(BACKEND, ["auto"]))
def test_fit_reports_the_metrics_and_evaluate_is_exact(jit_compile, tmp_path):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(200, 10)).astype("float32")
    labels = (images @ generator.normal(size=(10, 8)) > 2).astype("float32")
    labels[generator.random(labels.shape) < 0.1] = -1
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(8)])
    metrics = [AnnotationMetrics(k=2, num_images=200), PerClassRecall(3)]
    model.compile(keras.optimizers.SGD(0.1), WARP(), metrics=metrics, jit_compile=jit_compile)
    history = model.fit(images, labels, 50, epochs=4, verbose=0).history
    assert history["per_class_recall_at_3"][-1] > history["per_class_recall_at_3"][0]
    scores = model.predict(images, verbose=0)
    expected = annotation_metrics(labels, scores, k=2)
    recall = annotation_report(labels, scores, 3)["per_class_recall"] / 100
    expected["per_class_recall_at_3"] = recall
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    # Without XLA, which compiles every size of a batch for seconds, the last one is smaller.
    size = 50 if jit_compile else 64
    evaluated = loaded.evaluate(images, labels, size, verbose=0, return_dict=True)
    measured = {name: evaluated[name] for name in expected}
    assert measured == pytest.approx(expected, abs=1e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (NPlus(5), "n_plus_at_5"),
        (PerClassF1(np.int64(5), average="tags"), "per_class_macro_f1_at_5"),
        (CoverageError(labels="ids"), "coverage_error"),
        (MeanAveragePrecision(7, dtype=WIDEST), "mean_average_precision"),
        (AnnotationMetrics(k=[1, np.int64(7)], num_images=None), "annotation_metrics"),
        (PerClassRecall(4, name="mine", dtype=WIDEST, labels="ids"), "mine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_configuration_survives_serialization(metric, name):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is type(metric) and again.name == name
    assert again.get_config() == metric.get_config()
    for option, value in metric.get_config().items():
        if option != "dtype":
            assert getattr(again, option) == value
