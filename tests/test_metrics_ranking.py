"""Mean average precision and coverage error: their definitions, scikit-learn, values by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from test_metrics_counts import random_batch

from warptag.metrics import (
    CoverageError,
    MeanAveragePrecision,
    coverage_error,
    mean_average_precision,
)


def average_precision_reference(labels, scores, weights=None):
    """Sum over thresholds, one at each distinct score, of the gain in recall times precision."""
    weights = [1.0] * len(labels) if weights is None else list(weights)
    values = []
    for tag in range(len(labels[0])):
        images = [i for i in range(len(labels)) if labels[i][tag] != -1]
        total = sum(weights[i] for i in images if labels[i][tag] == 1)
        if not total:
            continue
        value = previous = 0.0
        for threshold in sorted({scores[i][tag] for i in images}, reverse=True):
            named = [i for i in images if scores[i][tag] >= threshold]
            hits = sum(weights[i] for i in named if labels[i][tag] == 1)
            if size := sum(weights[i] for i in named):
                value += (hits - previous) / total * hits / size
            previous = hits
        values.append(value)
    return sum(values) / len(values) if values else 0.0


def coverage_reference(labels, scores, weights=None):
    """Tags that score at least as high as the lowest positive, averaged over images."""
    weights = np.ones(len(labels)) if weights is None else weights
    total = parts = 0.0
    for label, score, weight in zip(labels, scores, weights, strict=True):
        positive = [score[t] for t in range(len(score)) if label[t] == 1]
        if positive:
            known = [score[t] for t in range(len(score)) if label[t] != -1]
            total += weight * sum(one >= min(positive) for one in known)
            parts += weight
    return total / parts if parts else 0.0


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (mean_average_precision, average_precision_reference),
        (coverage_error, coverage_reference),
    ],
)
@pytest.mark.parametrize("unknown", [0.0, 0.2, 0.7])
def test_the_function_is_the_definition(function, reference, unknown):
    labels, scores = random_batch(unknown=unknown)
    for weights in (None, np.random.default_rng(0).integers(0, 4, 40)):
        expected = reference(labels, scores, weights)
        assert function(labels, scores, weights) == pytest.approx(expected)


def test_average_precision_is_exact_for_thousands_of_close_scores():
    generator = np.random.default_rng(5)
    labels = generator.random((3000, 3)) < [0.01, 0.3, 0.9]
    # Neighbors in float32, which a metric with a grid of thresholds would not distinguish.
    scores = 1 + generator.permuted(np.tile(np.arange(3000), (3, 1)), axis=1).T * 2.0**-23
    expected = np.mean([average_precision_score(labels[:, t], scores[:, t]) for t in range(3)])
    assert mean_average_precision(labels, scores) == pytest.approx(expected)
    metric = MeanAveragePrecision(num_images=3000)
    for part in (slice(0, 1000), slice(1000, 3000)):
        metric.update_state(labels[part], scores[part].astype("float32"))
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_average_precision_by_hand():
    # Ranked: yes, no, yes | no, yes, yes
    labels, scores = [[1, 0], [0, 1], [1, 1]], [[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]]
    first = 1 / 2 * 1 / 1 + 1 / 2 * 2 / 3
    second = 1 / 2 * 1 / 2 + 1 / 2 * 2 / 3
    assert mean_average_precision(labels, scores) == pytest.approx((first + second) / 2)
    result = float(MeanAveragePrecision(3)(labels, scores))
    assert result == pytest.approx((first + second) / 2)


def test_a_constant_scorer_gains_nothing_from_the_order_of_its_ties():
    labels = [[1], [0], [0], [0]]
    for order in (labels, labels[::-1]):
        assert mean_average_precision(order, [[0.5]] * 4) == pytest.approx(1 / 4)
        assert float(MeanAveragePrecision(4)(order, [[0.0], [-0.0]] * 2)) == pytest.approx(1 / 4)


def test_coverage_error_by_hand():
    # Ranked 0 1 2 and 0 2 1; the last positives are 0 and 1. A tie counts: 3 of 3.
    labels = [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    scores = [[3.0, 2, 1], [3, 1, 2], [1, 1, 1]]
    assert coverage_error(labels, scores) == pytest.approx((1 + 3 + 3) / 3)
    assert float(CoverageError()(labels, scores)) == pytest.approx((1 + 3 + 3) / 3)


@pytest.mark.parametrize("label", [0, -1])
def test_without_a_positive_they_are_zero(label):
    labels, scores = np.full((3, 4), label), np.ones((3, 4))
    assert mean_average_precision(labels, scores) == coverage_error(labels, scores) == 0.0
    for metric in (MeanAveragePrecision(5), CoverageError()):
        assert float(metric.result()) == 0.0
        assert float(metric(labels, scores)) == 0.0


def test_images_without_a_positive_do_not_count_for_coverage():
    labels, scores = [[0, 0], [1, 0], [-1, -1]], [[1.0, 2.0]] * 3
    assert coverage_error(labels, scores) == 2.0
    assert float(CoverageError()(labels, scores)) == 2.0


def test_infinite_scores_rank():
    labels, scores = [[1], [0], [1]], [[np.inf], [0.0], [-np.inf]]
    expected = 1 / 2 * 1 / 1 + 1 / 2 * 2 / 3
    assert mean_average_precision(labels, scores) == pytest.approx(expected)
    assert float(MeanAveragePrecision(8)(labels, scores)) == pytest.approx(expected)


def test_more_images_than_kept_give_nan_until_the_reset():
    labels, scores = random_batch(unknown=0.0)
    metric = MeanAveragePrecision(num_images=40)
    metric.update_state(labels, scores)
    assert np.isfinite(float(metric.result()))
    with pytest.warns(RuntimeWarning, match="num_images=40"):
        metric.update_state(labels[:1], scores[:1])
    assert np.isnan(float(metric.result()))
    metric.reset_state()
    metric.update_state(labels, scores)
    expected = mean_average_precision(labels, scores)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
