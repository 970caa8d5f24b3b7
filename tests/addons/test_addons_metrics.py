"""The metrics under TensorFlow 2.15 and Keras 2.15 agree with the NumPy functions."""

import numpy as np
import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

import keras
import tensorflow as tf

from warptag import metrics as package
from warptag.metrics import AnnotationMetrics, PerClassF1, PerClassRecall, annotation_metrics
from warptag.metrics.base import NaNScores

AT_THREE = {
    package.PerClassRecall: "per_class_recall_at_3",
    package.PerClassPrecision: "per_class_precision_at_3",
    package.PerClassF1: "per_class_f1_at_3",
    package.OverallRecall: "overall_recall_at_3",
    package.OverallPrecision: "overall_precision_at_3",
    package.OverallF1: "overall_f1_at_3",
    package.NPlus: "n_plus_at_3",
    package.MeanAveragePrecision: "mean_average_precision",
    package.CoverageError: "coverage_error",
}


@pytest.fixture(scope="module")
def data():
    """Labels of all three kinds, scores with ties, weights of images."""
    generator = np.random.default_rng(0)
    labels = generator.choice([1.0, 0.0, -1.0], (30, 9), p=[0.3, 0.5, 0.2])
    scores = generator.integers(-3, 4, (30, 9)).astype("float32")
    return labels, scores, generator.integers(0, 3, 30).astype("float32")


@pytest.mark.parametrize("kind", AT_THREE)
def test_a_metric_is_the_numpy_function_over_several_batches(kind, data):
    labels, scores, weights = data
    expected = annotation_metrics(labels, scores, k=3, sample_weight=weights)[AT_THREE[kind]]
    metric = kind()
    for _ in range(2):
        for part in (slice(0, 20), slice(20, 30)):
            metric.update_state(labels[part], scores[part], sample_weight=weights[part])
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
        # The second time from the start.
        metric.reset_state()


@pytest.mark.parametrize("kind", [*AT_THREE, AnnotationMetrics])
def test_a_saved_model_keeps_its_metric(kind, tmp_path):
    options = {"average": "tags"} if kind is PerClassF1 else {}
    metric = kind(name="mine", dtype="float64", labels="ids", **options)
    model = keras.Sequential([keras.layers.Input((9,)), keras.layers.Dense(9)])
    model.compile("sgd", loss="mse", metrics=[metric])
    model.save(tmp_path / "model.keras")
    config = keras.saving.serialize_keras_object(metric)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is kind
    assert again.get_config() == metric.get_config()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    kept = loaded.get_compile_config()["metrics"][0]["config"]
    assert kept == keras.saving.serialize_keras_object(metric)["config"]


def test_scores_that_are_nan_are_refused_and_in_a_graph_the_result_is_nan():
    labels, scores = tf.constant([[1.0, 0.0]]), tf.constant([[np.nan, 0.0]])
    with pytest.raises(NaNScores):
        PerClassRecall(k=1).update_state(labels, scores)
    metric = PerClassRecall(k=1)

    @tf.function
    def update():
        metric.update_state(labels, scores)

    update()
    assert np.isnan(metric.result())
