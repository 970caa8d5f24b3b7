"""F1 at k: of the per-class means, of each tag, and overall."""

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score
from test_metrics_counts import random_batch

from warptag.metrics import OverallF1, PerClassF1, annotation_report, top_k_tags

# Three images, four tags, two tags each (as in test_metrics_counts):
#   image 0 has 0 and 1, is given 0 and 1;  image 1 has 0, is given 0 and 2
#   image 2 has 3, is given 0 and 1.        Tag 2 has no positive image, tag 3 is never given.
LABELS = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
SCORES = [[9.0, 8, 2, 1], [9, 1, 8, 2], [9, 8, 2, 1]]
PRECISION, RECALL = (2 / 3 + 1 / 2 + 0) / 3, (2 / 2 + 1 / 1 + 0 / 1) / 3


def test_per_class_f1_is_that_of_the_two_means():
    expected = 2 * PRECISION * RECALL / (PRECISION + RECALL)
    assert float(PerClassF1(k=2)(LABELS, SCORES)) == pytest.approx(expected)


def test_the_f1_of_tags_is_averaged_over_tags_with_a_positive_image():
    # Tag 0: P 2/3, R 1; tag 1: P 1/2, R 1; tag 3: never given.
    expected = (2 * (2 / 3) / (2 / 3 + 1) + 2 * (1 / 2) / (1 / 2 + 1) + 0) / 3
    assert float(PerClassF1(k=2, average="tags")(LABELS, SCORES)) == pytest.approx(expected)


def test_overall_f1_is_that_of_all_given_tags():
    precision, recall = 3 / 6, 3 / 4
    expected = 2 * precision * recall / (precision + recall)
    assert float(OverallF1(k=2)(LABELS, SCORES)) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(40,), (1, 7, 32)])
def test_scikit_learn_agrees(sizes):
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    given = np.zeros(labels.shape, int)
    np.put_along_axis(given, top_k_tags(scores, 3), 1, axis=1)
    occurring = np.flatnonzero(labels.any(axis=0))
    metrics = PerClassF1(3, average="tags"), OverallF1(3)
    for start, end in zip(np.cumsum((0, *sizes)), np.cumsum(sizes), strict=False):
        for metric in metrics:
            metric.update_state(labels[start:end], scores[start:end])
    macro = f1_score(labels, given, labels=occurring, average="macro", zero_division=0)
    micro = f1_score(labels, given, average="micro", zero_division=0)
    assert float(metrics[0].result()) == pytest.approx(macro, abs=1e-6)
    assert float(metrics[1].result()) == pytest.approx(micro, abs=1e-6)


@pytest.mark.parametrize("unknown", [0.0, 0.4])
def test_f1_follows_from_the_report(unknown):
    labels, scores = random_batch(seed=3, unknown=unknown)
    report = annotation_report(labels, scores, 3)
    for level, metric in (("per_class", PerClassF1(3)), ("overall", OverallF1(3))):
        precision, recall = report[f"{level}_precision"] / 100, report[f"{level}_recall"] / 100
        expected = 2 * precision * recall / (precision + recall)
        assert float(metric(labels, scores)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("metric", [PerClassF1(1), PerClassF1(1, average="tags"), OverallF1(1)])
def test_nothing_right_is_zero_and_no_nan(metric):
    assert float(metric([[0, 1], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])) == 0.0
    metric.reset_state()
    assert float(metric([[0, 0], [-1, -1]], [[2.0, 1.0], [2.0, 1.0]])) == 0.0


def test_the_average_goes_through_the_configuration_and_has_a_name_of_its_own():
    metric = PerClassF1(5, average="tags")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert (again.k, again.average, again.name) == (5, "tags", "per_class_macro_f1_at_5")
    assert PerClassF1(5).name == "per_class_f1_at_5"


def test_an_unknown_average_is_named():
    with pytest.raises(
        ValueError, match=r"average must be one of \('means', 'tags'\), got 'micro'"
    ):
        PerClassF1(3, average="micro")
