"""kNN and SVM: worked examples, scaling, unknown labels, bad input."""

import math
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from warptag.baselines import KNNAnnotator, SVMAnnotator


def clusters(num_images=120, num_tags=3, seed=0):
    """Images of one tag each; the tag is the feature that stands out."""
    random = np.random.default_rng(seed)
    tags = np.arange(num_images) % num_tags
    labels = np.eye(num_tags, dtype=int)[tags]
    return (4 * labels + random.normal(size=labels.shape)).astype(np.float32), labels


def test_knn_vote_by_hand():
    # Points 0, 1 and 3. With k = 2, each point's second other point is 3, 2 and 3 away, so the
    # unit of squared distance is (9 + 4 + 9) / 3.
    annotator = KNNAnnotator(k=2, sigma=1.0).fit([[0], [1], [3]], [[1, 0], [1, 1], [0, 1]])
    unit = (9 + 4 + 9) / 3
    assert annotator.scale_ == pytest.approx(unit)
    # Query 0.2: neighbours 0 (squared distance 0.04) and 1 (0.64); the nearest weighs 1.
    second = math.exp(-(0.64 - 0.04) / unit)
    expected = [[(1 + second) / 2, second / 2]]
    np.testing.assert_allclose(annotator.decision_function([[0.2]]), expected, rtol=1e-5)


def test_knn_scores_do_not_depend_on_the_units_of_features():
    X, Y = clusters()
    scores = KNNAnnotator(k=5).fit(X, Y).decision_function(X[:9])
    scaled = KNNAnnotator(k=5).fit(1000 * X, Y).decision_function(1000 * X[:9])
    np.testing.assert_allclose(scores, scaled, rtol=1e-3)


def test_knn_ranks_images_far_from_all_others():
    X, Y = clusters()
    scores = KNNAnnotator(k=5).fit(X, Y).decision_function([[1e4, 0, 0]])
    assert np.isfinite(scores).all()
    assert scores.argmax() == 0 and scores.max() > 0


def test_knn_small_sigma_follows_the_nearest():
    X, Y = [[0.0], [1.0], [1.1]], [[1, 0], [0, 1], [0, 1]]
    query = [[0.3]]
    assert KNNAnnotator(k=3, sigma=1e-4).fit(X, Y).decision_function(query).argmax() == 0
    assert KNNAnnotator(k=3, sigma=1e4).fit(X, Y).decision_function(query).argmax() == 1


def test_knn_with_fewer_images_than_k_lets_all_vote():
    annotator = KNNAnnotator(k=50, sigma=1e9).fit([[0.0], [1.0]], [[1, 0], [1, 1]])
    np.testing.assert_allclose(annotator.decision_function([[0.0]]), [[1.0, 0.5]], rtol=1e-6)
    single = KNNAnnotator().fit([[1.0]], [[1, 0]])
    np.testing.assert_array_equal(single.decision_function([[5.0]]), [[1, 0]])


def test_knn_identical_images_vote_equally():
    annotator = KNNAnnotator(k=2).fit(np.ones((4, 2)), [[1, 0]] * 4)
    np.testing.assert_array_equal(annotator.decision_function([[1, 1]]), [[1, 0]])


def test_knn_unknown_is_no_vote():
    X, Y = clusters()
    unknown = np.where(Y == 0, -1, Y)
    np.testing.assert_array_equal(
        KNNAnnotator(k=5).fit(X, Y).decision_function(X),
        KNNAnnotator(k=5).fit(X, unknown).decision_function(X),
    )


def test_svm_separates_and_is_deterministic():
    X, Y = clusters()
    annotator = SVMAnnotator().fit(X, Y)
    new_X, new_Y = clusters(seed=1)
    scores = annotator.decision_function(new_X)
    assert scores.dtype == np.float32
    assert (scores.argmax(axis=1) == new_Y.argmax(axis=1)).mean() > 0.95
    assert annotator.converged_.all() and annotator.trained_.all()
    np.testing.assert_array_equal(scores, SVMAnnotator().fit(X, Y).decision_function(new_X))


def test_svm_boundary_by_hand():
    # Two points, one a side: the boundary is half way, wherever the points lie.
    annotator = SVMAnnotator(C=1e4).fit([[10.0], [14.0]], [[1, 0], [0, 1]])
    scores = annotator.decision_function([[12.0], [10.5], [13.5]])
    np.testing.assert_allclose(scores[0], [0, 0], atol=0.01)
    assert (scores[1:].argmax(axis=1) == [0, 1]).all()


def test_svm_does_not_depend_on_the_units_of_features():
    X, Y = clusters()
    scores = SVMAnnotator().fit(X, Y).decision_function(X)
    scaled = SVMAnnotator().fit(100 * X, Y).decision_function(100 * X)
    np.testing.assert_allclose(scores, scaled, atol=1e-2)


def test_svm_tags_with_one_kind_of_image_come_last():
    X, Y = clusters()
    never, always = np.zeros((len(Y), 1), int), np.ones((len(Y), 1), int)
    annotator = SVMAnnotator().fit(X, np.hstack([never, Y, always]))
    scores = annotator.decision_function(100 * X)
    assert np.isfinite(scores).all()
    assert list(annotator.trained_) == [False, True, True, True, False]
    assert len(np.unique(scores[:, [0, 4]])) == 1
    assert scores[:, [0, 4]].max() < scores[:, 1:4].min()


def test_svm_leaves_unknown_images_out():
    X, Y = clusters()
    wrong = np.vstack([Y, 1 - Y])
    wrong[len(Y) :, 0] = -1  # the contradicting half is unknown for tag 0 only
    annotator = SVMAnnotator().fit(np.vstack([X, X]), wrong)
    right = annotator.decision_function(X)[:, :2] > 0
    assert (right[:, 0] == Y[:, 0]).mean() > 0.95
    assert (right[:, 1] == Y[:, 1]).mean() < 0.9


def test_svm_says_when_it_stopped_early(monkeypatch):
    from warptag.baselines import svm

    class Hurried(svm.LinearSVC):
        def __init__(self, **arguments):
            super().__init__(**{**arguments, "max_iter": 1})

    monkeypatch.setattr(svm, "LinearSVC", Hurried)
    X, Y = clusters()
    with pytest.warns(ConvergenceWarning, match="3 of 3 tags"):
        annotator = SVMAnnotator().fit(X, Y)
    assert not annotator.converged_.any()


@pytest.mark.parametrize("annotator", [KNNAnnotator(k=7, sigma=0.5), SVMAnnotator(C=3.0, seed=4)])
def test_parameters_survive_a_clone(annotator):
    assert clone(annotator).get_params() == annotator.get_params()


@pytest.mark.parametrize("kind", [KNNAnnotator, SVMAnnotator])
def test_bad_input_is_refused(kind):
    X, Y = clusters()
    with pytest.raises(NotFittedError):
        kind().decision_function(X)
    with pytest.raises(ValueError, match="one row an image"):
        kind().fit(X, Y[:-1])
    with pytest.raises(ValueError, match="NaN"):
        kind().fit(np.full_like(X, np.nan), Y)
    with pytest.raises(ValueError, match="num_images, num_features"):
        kind().fit(X[:, 0], Y)
    with pytest.raises(ValueError, match="1, 0 or -1"):
        kind().fit(X, 2 * Y)
    with pytest.raises(ValueError, match="empty"):
        kind().fit(X[:0], Y[:0])
    with pytest.raises(ValueError, match="3 features"):
        kind().fit(X, Y).decision_function(X[:, :2])
    assert kind().fit(X, Y).decision_function(X[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    "annotator",
    [KNNAnnotator(k=0), KNNAnnotator(sigma=0), KNNAnnotator(sigma=math.nan), SVMAnnotator(C=0)],
)
def test_bad_parameters_are_refused(annotator):
    with pytest.raises(ValueError, match="got"):
        annotator.fit(*clusters())


def test_baselines_need_no_tensorflow():
    code = "import sys, warptag.baselines; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
