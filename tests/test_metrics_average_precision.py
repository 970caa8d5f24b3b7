"""Mean average precision against its definition, scikit-learn and values by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
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


def streamed(labels, scores, sizes, weights=None, num_images=50):
    metric = MeanAveragePrecision(num_images=num_images)
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        metric.update_state(labels[part], scores[part], None if weights is None else weights[part])
        start += size
    return float(metric.result())


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
    result = streamed(labels, scores.astype("float32"), (1000,) * 3, num_images=3000)
    assert result == pytest.approx(expected, abs=1e-6)


def test_scikit_learn_agrees_on_ties_and_weights():
    labels, scores = random_batch(seed=3, unknown=0.0)
    labels[0] = 0
    weights = np.random.default_rng(1).random(40)
    occurring = np.flatnonzero(labels.any(axis=0))
    expected = np.mean(
        [
            average_precision_score(labels[:, t], scores[:, t], sample_weight=weights)
            for t in occurring
        ]
    )
    assert mean_average_precision(labels, scores, weights) == pytest.approx(expected)
    assert streamed(labels, scores, (40,), weights) == pytest.approx(expected, abs=1e-6)


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


@pytest.mark.parametrize("num_images", [0, -1, 2.0, "3", None, True])
def test_a_bad_number_of_images_is_named(num_images):
    with pytest.raises(ValueError, match="num_images must be a positive integer, got"):
        MeanAveragePrecision(num_images)


@st.composite
def labels_and_scores(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=7))
    labels = draw(hnp.arrays(np.int8, shape, elements=st.integers(-1, 1)))
    scores = draw(hnp.arrays(np.float64, shape, elements=st.integers(-3, 3).map(float)))
    return labels, scores, np.random.default_rng(draw(st.integers(0, 99))).permutation(shape[0])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(labels_and_scores())
def test_neither_the_order_of_images_nor_the_scale_of_scores_matters(batch):
    labels, scores, order = batch
    expected = reference(labels, scores)
    assert mean_average_precision(labels, scores) == pytest.approx(expected)
    assert mean_average_precision(labels[order], scores[order]) == pytest.approx(expected)
    assert mean_average_precision(labels, np.exp(scores) + 4) == pytest.approx(expected)
