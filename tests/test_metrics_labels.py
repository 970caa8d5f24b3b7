"""What the metrics take as labels, scores and weights, and what they refuse."""

import keras
import numpy as np
import pytest
from test_metrics_annotation import values
from test_metrics_counts import random_batch

from warptag.metrics import (
    AnnotationMetrics,
    CoverageError,
    MeanAveragePrecision,
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


def test_many_tags_take_no_table_of_them():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(4, 100_000)).astype("float32")
    ids = np.argsort(-scores, axis=1)[:, [0, 2, 7]]
    metric = AnnotationMetrics(k=(1, 3), num_images=None, labels="ids")
    result = values(metric(ids, scores))
    # Of 3 tags the first and the third place are right, and the last stands at place 8.
    assert result["overall_recall_at_3"] == pytest.approx(2 / 3)
    assert result["overall_precision_at_1"] == 1.0
    assert result["coverage_error"] == 8.0


METRICS = [
    PerClassRecall(1),
    CoverageError(),
    MeanAveragePrecision(100),
]
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def fresh(metric, **arguments):
    return type(metric)(**{**metric.get_config(), **arguments})


@every_metric
@pytest.mark.parametrize("wrong", [2, 0.5, -2, np.nan])
def test_a_label_that_does_not_exist_is_named(metric, wrong):
    labels = [[1.0, 0.0], [0.0, wrong]]
    with pytest.raises(ValueError, match=rf"1, 0 or -1 \(unknown\), got {wrong}"):
        fresh(metric).update_state(labels, [[1.0, 0.0]] * 2)


@every_metric
@pytest.mark.parametrize("wrong", [2, -2, 0.5])
def test_an_id_out_of_range_is_named(metric, wrong):
    with pytest.raises(ValueError, match=f"ids must be tags from 0 to 1, .* got {wrong}"):
        fresh(metric, labels="ids").update_state([[0.0], [wrong]], [[1.0, 0.0]] * 2)


@every_metric
def test_a_score_that_is_nan_is_named(metric):
    with pytest.raises(ValueError, match=r"scores hold NaN \(first at image 1\)"):
        fresh(metric).update_state([[1, 0]] * 2, [[1.0, 0.0], [0.0, np.nan]])


def traced_result(metric, labels, scores):
    """The result after an update inside of a graph, where no value can be refused."""
    metric.update_state(np.zeros_like(labels), np.zeros_like(scores))
    metric.reset_state()
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tf.function(metric.update_state)(tf.constant(labels), tf.constant(scores))
        return float(metric.result())
    import jax

    state = [variable.value for variable in metric.variables]
    state = jax.jit(metric.stateless_update_state)(state, labels, scores)
    return float(metric.stateless_result(state))


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no graph here; it raises")
@every_metric
@pytest.mark.parametrize(("label", "score"), [(2.0, 0.0), (0.5, 0.0), (1.0, np.nan)])
def test_in_a_graph_the_result_is_nan(metric, label, score):
    labels = np.array([[1.0, 0.0], [label, 0.0]], "float32")
    scores = np.array([[1.0, 0.0], [score, 0.5]], "float32")
    assert np.isnan(traced_result(fresh(metric), labels, scores))
    assert np.isfinite(traced_result(fresh(metric), labels[:1], scores[:1]))


@every_metric
def test_weights_that_do_not_fit_are_named(metric):
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    with pytest.raises(ValueError, match="one number for each of the 40 images, got 3"):
        fresh(metric).update_state(labels, scores, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match=r"sample_weight must be \(batch,\), got shape \(40, 11\)"):
        fresh(metric).update_state(labels, scores, sample_weight=np.ones(labels.shape))


@pytest.mark.parametrize("function", [mean_average_precision, coverage_error, annotation_metrics])
@pytest.mark.parametrize(
    ("labels", "scores", "weight", "message"),
    [
        ([[1, 0, 0]], [[1.0, 0, 0, 0, 0]], None, r"one shape, got \(1, 3\) and \(1, 5\)"),
        ([1, 0], [1.0, 0.0], None, r"\(num_images, num_tags\), got shape \(2,\)"),
        ([[2, 0, 0, 0, 0]], [[1.0, 0.0, 0, 0, 0]], None, r"1, 0 or -1 \(unknown\), got 2"),
        ([[1, 0, 0, 0, 0]], [[1.0, np.nan, 0, 0, 0]], None, "NaN .first at image 0, tag 1"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [1, 2], r"\(1,\), got shape \(2,\)"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [-1.0], "at least 0, got -1.0"),
        ([[1, 0, 0, 0, 0]], [[1.0, 0, 0, 0, 0]], [np.nan], "finite .* got nan"),
    ],
)
def test_the_functions_name_bad_arrays(function, labels, scores, weight, message):
    with pytest.raises(ValueError, match=message):
        function(labels, scores, sample_weight=weight)


def test_an_unknown_label_format_is_named():
    with pytest.raises(ValueError, match=r"labels must be one of .*'ids'.*, got 'ragged'"):
        PerClassRecall(3, labels="ragged")
