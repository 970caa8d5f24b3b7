"""The labels, scores and weights of the metrics, valid and invalid ones."""

import keras
import numpy as np
import pytest
from test_metrics_counts import random_batch
from test_metrics_keras import values

from warptag.metrics import (
    AnnotationMetrics,
    PerClassRecall,
    annotation_metrics,
    coverage_error,
    mean_average_precision,
)

BACKEND = keras.backend.backend()


def padded_ids(labels, width):
    """The positive tags of each row, a repeated one among them, with -1 in between and after."""
    ids = np.full((len(labels), width), -1)
    for row, label in zip(ids, labels, strict=True):
        tags = np.flatnonzero(label == 1)
        row[1 : 1 + len(tags)] = tags[::-1]
        if len(tags):
            row[-1] = tags[0]
    return ids


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_padded_ids_give_what_multi_hot_labels_give(dtype):
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    metric = AnnotationMetrics(k=(1, 3), num_images=50, labels="ids")
    result = values(metric(padded_ids(labels, 13).astype(dtype), scores))
    assert result == pytest.approx(annotation_metrics(labels, scores, k=(1, 3)), rel=1e-5)


def test_ids_of_many_tags():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(4, 100_000)).astype("float32")
    ids = np.argsort(-scores, axis=1)[:, [0, 2, 7]]
    metric = AnnotationMetrics(k=(1, 3), num_images=None, labels="ids")
    result = values(metric(ids, scores))
    # The 3 positive tags are at the places 1, 3 and 8.
    assert result["overall_recall_at_3"] == pytest.approx(2 / 3)
    assert result["overall_precision_at_1"] == 1.0
    assert result["coverage_error"] == 8.0


@pytest.mark.parametrize("wrong", [2, 0.5, -2, np.nan])
def test_an_invalid_label_is_named(wrong):
    labels = [[1.0, 0.0], [0.0, wrong]]
    with pytest.raises(ValueError, match=f"labels must be .*got {wrong}"):
        PerClassRecall(1).update_state(labels, [[1.0, 0.0]] * 2)


@pytest.mark.parametrize("wrong", [2, -2, 0.5])
def test_an_id_out_of_range_is_named(wrong):
    with pytest.raises(ValueError, match=f"from 0 to 1, .* got {wrong}"):
        PerClassRecall(1, labels="ids").update_state([[0.0], [wrong]], [[1.0, 0.0]] * 2)


def test_a_score_that_is_nan_is_named():
    with pytest.raises(ValueError, match="image 1"):
        PerClassRecall(1).update_state([[1, 0]] * 2, [[1.0, 0.0], [0.0, np.nan]])


def traced_result(metric, labels, scores):
    """The result after an update inside a graph, which cannot raise errors."""
    metric.update_state(np.zeros_like(labels), np.zeros_like(scores))
    metric.reset_state()
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tf.function(metric.update_state)(tf.constant(labels), tf.constant(scores))
        return values(metric.result())
    import jax

    state = [variable.value for variable in metric.variables]
    state = jax.jit(metric.stateless_update_state)(state, labels, scores)
    return values(metric.stateless_result(state))


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no graph here; it raises")
@pytest.mark.parametrize(("label", "score"), [(2.0, 0.0), (0.5, 0.0), (1.0, np.nan)])
def test_in_a_graph_every_result_is_nan(label, score):
    labels = np.array([[1.0, 0.0], [label, 0.0]], "float32")
    scores = np.array([[1.0, 0.0], [score, 0.5]], "float32")
    for images, expected in ((slice(0, 2), True), (slice(0, 1), False)):
        metric = AnnotationMetrics(k=1, num_images=10)
        result = traced_result(metric, labels[images], scores[images])
        assert set(np.isnan(list(result.values()))) == {expected}


def test_weights_of_the_wrong_shape_are_named():
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    with pytest.raises(ValueError, match="the 40 images, got 3"):
        PerClassRecall(1).update_state(labels, scores, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match=r"got shape \(40, 11\)"):
        PerClassRecall(1).update_state(labels, scores, sample_weight=np.ones(labels.shape))


@pytest.mark.parametrize("function", [mean_average_precision, coverage_error, annotation_metrics])
@pytest.mark.parametrize(
    ("labels", "scores", "weight", "message"),
    [
        ([[1, 0, 0]], [[1.0, 0, 0, 0, 0]], None, r"got \(1, 3\) and \(1, 5\)"),
        ([[2, 0, 0, 0, 0]], [[1.0, 0.0, 0, 0, 0]], None, "labels must be .*got 2"),
        ([[1, 0, 0, 0, 0]], [[1.0, np.nan, 0, 0, 0]], None, "image 0, tag 1"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [1, 2], r"\(1,\), got shape \(2,\)"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [-1.0], "sample_weight .*got -1.0"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [np.nan], "sample_weight .*got nan"),
    ],
)
def test_the_functions_name_bad_arrays(function, labels, scores, weight, message):
    with pytest.raises(ValueError, match=message):
        function(labels, scores, sample_weight=weight)


def test_an_unknown_label_format_is_named():
    with pytest.raises(ValueError, match="labels must be .*'ids'.*, got 'ragged'"):
        PerClassRecall(3, labels="ragged")
