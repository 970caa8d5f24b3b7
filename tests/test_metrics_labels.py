"""The labels, scores and weights of the metrics, valid and invalid ones."""

import re
from functools import partial

import keras
import numpy as np
import pytest
from losses_support import padded_ids
from test_metrics_counts import random_batch
from test_metrics_keras import compiled_update, values

from warptag.metrics import (
    AnnotationMetrics,
    MeanAveragePrecision,
    PerClassF1,
    PerClassRecall,
    annotation_metrics,
    annotation_report,
    coverage_error,
    mean_average_precision,
)

BACKEND = keras.backend.backend()
FUNCTIONS = (mean_average_precision, coverage_error, partial(annotation_metrics, k=1))


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_padded_ids_give_what_multi_hot_labels_give(dtype):
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    metric = AnnotationMetrics(k=(1, 3), num_images=50, labels="ids")
    result = values(metric(padded_ids(labels, 13).astype(dtype), scores))
    assert result == pytest.approx(annotation_metrics(labels, scores, k=(1, 3)), rel=1e-5)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no graph here; it raises")
@pytest.mark.parametrize(("label", "score"), [(2.0, 0.0), (0.5, 0.0), (1.0, np.nan)])
def test_in_a_graph_every_result_is_nan(label, score):
    """It cannot raise an error."""
    labels = np.array([[1.0, 0.0], [label, 0.0]], "float32")
    scores = np.array([[1.0, 0.0], [score, 0.5]], "float32")
    metric = AnnotationMetrics(k=1, num_images=10)
    metric.update_state(labels[:1], scores[:1])
    update = compiled_update(metric)
    update(labels[:1], scores[:1])
    assert not np.isnan(list(values(metric.result()).values())).any()
    update(labels[1:], scores[1:])
    assert np.isnan(list(values(metric.result()).values())).all()


@pytest.mark.parametrize(
    ("labels_as", "wrong"),
    [
        *(("multi_hot", wrong) for wrong in (2, 0.5, -2, np.nan)),
        *(("ids", wrong) for wrong in (2, -2, 0.5)),
    ],
)
def test_an_invalid_label_is_named(labels_as, wrong):
    metric = PerClassRecall(1, labels=labels_as)
    with pytest.raises(ValueError, match=f"got {float(wrong)}"):
        metric.update_state([[1.0, 0.0], [0.0, wrong]], [[1.0, 0.0]] * 2)


def test_another_number_of_tags_than_before_is_refused():
    metric = PerClassRecall(3)
    metric.update_state(np.zeros((2, 11)), np.zeros((2, 11)))
    with pytest.raises(ValueError, match="11 tags.* got 4"):
        metric.update_state(np.zeros((2, 4)), np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("labels", "scores", "weight", "named"),
    [
        ([[1, 0, 0]], [[1.0, 0.0]], None, r"\(1, 3\) and \(1, 2\)"),
        ([1, 0], [1.0, 0.0], None, r"\(2,\)"),
        ([[2, 0]], [[1.0, 0.0]], None, "got 2"),
        ([[1, 0]], [[1.0, np.nan]], None, "image 0"),
        ([[1, 0]], [[1.0, 0.0]], [1.0, 2.0], "2"),
        ([[1, 0]], [[1.0, 0.0]], [[1.0, 2.0]], r"\(1, 2\)"),
    ],
)
def test_bad_arrays_are_named(labels, scores, weight, named):
    for function in FUNCTIONS:
        with pytest.raises(ValueError, match=named):
            function(labels, scores, sample_weight=weight)
    with pytest.raises(ValueError, match=named):
        PerClassRecall(1).update_state(labels, scores, sample_weight=weight)


def test_the_score_of_an_unknown_tag_may_be_nan():
    labels, scores = random_batch(unknown=0.3)
    without = np.where(labels == -1, np.nan, scores)
    expected = annotation_metrics(labels, scores, k=(1, 3))
    assert annotation_metrics(labels, without, k=(1, 3)) == expected
    metric = AnnotationMetrics(k=(1, 3), num_images=50)
    assert values(metric(labels, without)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_weights_that_count_nothing_are_named(weight):
    for function in FUNCTIONS:
        with pytest.raises(ValueError, match=f"sample_weight .*got {weight}"):
            function([[1, 0]], [[1.0, 0.0]], sample_weight=[weight])


@pytest.mark.parametrize("k", [0, -1, 2.0, "2", None, True])
def test_a_k_that_is_not_a_positive_integer_is_named(k):
    for make in (PerClassRecall, AnnotationMetrics, MeanAveragePrecision):
        with pytest.raises(ValueError, match=f"must be .*got {k!r}"):
            make(k)
    with pytest.raises(ValueError, match=f"must be .*got {k!r}"):
        annotation_report([[1, 0]], [[1.0, 0.0]], k)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (partial(AnnotationMetrics, ()), ()),
        (partial(AnnotationMetrics, (3, 3)), (3, 3)),
        (partial(PerClassF1, 3, average="micro"), "micro"),
        (partial(PerClassRecall, 3, labels="ragged"), "ragged"),
        (partial(annotation_report, [[1, 0]], [[1.0, 0.0]], 3), 3),
        (partial(PerClassRecall(3), np.zeros((2, 2)), np.zeros((2, 2))), 3),
        (partial(AnnotationMetrics((1, 3)), np.zeros((2, 2)), np.zeros((2, 2))), 3),
    ],
)
def test_bad_options_are_named(make, wrong):
    with pytest.raises(ValueError, match=re.escape(f"got {wrong!r}")):
        make()
