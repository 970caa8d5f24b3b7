"""The SVM: the minimum that liblinear finds, worked examples, unknown labels."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from warptag.baselines import SVMAnnotator, linear_svm


def correlated(num_images, num_features=60, num_tags=8):
    """Features of falling variance around an offset; tags from rare to common, with noise."""
    random = np.random.default_rng(0)
    X = random.normal(size=(num_images, num_features)) / np.sqrt(np.arange(1, num_features + 1))
    scores = X @ random.normal(size=(num_features, num_tags))
    scores += random.normal(scale=2, size=scores.shape)
    limits = [np.quantile(scores[:, i], q) for i, q in enumerate(np.linspace(0.6, 0.95, num_tags))]
    return (X + 5).astype(np.float32), (scores > limits).astype(int)


# More images than features, and fewer; some labels unknown.
@pytest.mark.parametrize(("num_images", "unknown"), [(900, 0.0), (900, 0.3), (40, 0.0)])
def test_each_machine_has_the_minimum_that_liblinear_finds(num_images, unknown, monkeypatch):
    monkeypatch.setattr(linear_svm, "NUM_ROWS", 64)
    X, Y = correlated(num_images)
    Y[np.random.default_rng(3).random(Y.shape) < unknown] = -1
    annotator = SVMAnnotator(C=2.0).fit(X, Y)
    assert annotator.converged_.all() and annotator.trained_.all()
    np.testing.assert_allclose(annotator.mean_, X.mean(axis=0), rtol=1e-4)
    # One scale for all features: the root mean square of the centred lengths.
    assert annotator.scale_**2 == pytest.approx(X.var(axis=0).sum(), rel=1e-3)
    scaled = (X - annotator.mean_) / annotator.scale_

    def objective(weight, intercept, rows, labels):
        shortfall = np.maximum(1 - (2 * labels - 1) * (rows @ weight + intercept), 0)
        return (weight @ weight + intercept**2) / 2 + 2.0 * (shortfall**2).sum()

    for tag, labels in enumerate(Y.T):
        rows, labels = scaled[labels != -1], labels[labels != -1]
        machine = LinearSVC(C=2.0, dual=False, tol=1e-10, max_iter=10_000).fit(rows, labels)
        np.testing.assert_allclose(annotator.coef_[tag], machine.coef_[0], atol=1e-3)
        np.testing.assert_allclose(annotator.intercept_[tag], machine.intercept_[0], atol=1e-3)
        lowest = objective(machine.coef_[0], machine.intercept_[0], rows, labels)
        found = objective(annotator.coef_[tag], annotator.intercept_[tag], rows, labels)
        assert found <= lowest * (1 + 1e-6)


def test_a_solver_that_stopped_early_is_a_warning(monkeypatch):
    monkeypatch.setattr(linear_svm, "_MAX_ITERATIONS", 1)
    with pytest.warns(ConvergenceWarning, match="8 of 8 tags"):
        annotator = SVMAnnotator().fit(*correlated(200))
    assert not annotator.converged_.any()
