"""Mean average precision against its definition, scikit-learn and values by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from test_metrics_counts import random_batch

from warptag.metrics import MeanAveragePrecision, mean_average_precision


def reference(labels, scores, weights=None):
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


@pytest.mark.parametrize("unknown", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_function_is_the_definition(seed, unknown):
    labels, scores = random_batch(seed, unknown=unknown)
    weights = np.random.default_rng(seed).integers(0, 4, len(labels))
    for weight in (None, weights):
        expected = reference(labels, scores, weight)
        assert mean_average_precision(labels, scores, weight) == pytest.approx(expected)


def test_it_is_exact_for_thousands_of_close_scores():
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


def test_values_by_hand():
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


@pytest.mark.parametrize("label", [0, -1])
def test_without_a_positive_image_it_is_zero(label):
    labels, scores = np.full((3, 4), label), np.ones((3, 4))
    assert mean_average_precision(labels, scores) == 0.0
    assert float(MeanAveragePrecision(5)(labels, scores)) == 0.0
    assert float(MeanAveragePrecision(5).result()) == 0.0


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
