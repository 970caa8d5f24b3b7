"""Coverage error against its definition and values by hand."""

import numpy as np
import pytest
from test_metrics_counts import random_batch

from warptag.metrics import CoverageError, coverage_error


def reference(labels, scores, weights=None):
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


@pytest.mark.parametrize("unknown", [0.0, 0.2, 0.7])
def test_the_function_is_the_definition(unknown):
    labels, scores = random_batch(unknown=unknown)
    for weights in (None, np.random.default_rng(0).random(40)):
        expected = reference(labels, scores, weights)
        assert coverage_error(labels, scores, weights) == pytest.approx(expected)


def test_values_by_hand():
    # Ranked 0 1 2 and 0 2 1; the last positives are 0 and 1. A tie counts: 3 of 3.
    labels = [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    scores = [[3.0, 2, 1], [3, 1, 2], [1, 1, 1]]
    assert coverage_error(labels, scores) == pytest.approx((1 + 3 + 3) / 3)
    assert float(CoverageError()(labels, scores)) == pytest.approx((1 + 3 + 3) / 3)


@pytest.mark.parametrize("label", [0, -1])
def test_images_without_a_positive_tag_are_left_out(label):
    labels, scores = [[label, label], [1, 0]], [[1.0, 2.0], [1.0, 2.0]]
    assert coverage_error(labels, scores) == 2.0
    assert float(CoverageError()(labels, scores)) == 2.0
    assert coverage_error(labels[:1], scores[:1]) == 0.0
    assert float(CoverageError()(labels[:1], scores[:1])) == 0.0
    assert float(CoverageError().result()) == 0.0
