"""kNN and SVM: worked examples, scaling, unknown labels, bad input."""

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.svm import LinearSVC

from warptag.baselines import KNNAnnotator, SVMAnnotator, linear_svm, neighbors
from warptag.baselines.linear_svm import fit_linear_svms
from warptag.baselines.neighbors import NearestImages

SOLVERS = ("liblinear", "conjugate_gradients")


def clusters(num_images=120, num_tags=3, seed=0):
    """Images of one tag each; the tag is the feature that stands out."""
    random = np.random.default_rng(seed)
    tags = np.arange(num_images) % num_tags
    labels = np.eye(num_tags, dtype=int)[tags]
    return (4 * labels + random.normal(size=labels.shape)).astype(np.float32), labels


def correlated(num_images=1500, num_features=60, num_tags=8, seed=0):
    """Features of falling variance around an offset; tags from rare to common, with noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(num_images, num_features)) / np.sqrt(np.arange(1, num_features + 1))
    scores = X @ random.normal(size=(num_features, num_tags))
    scores += random.normal(scale=2, size=scores.shape)
    limits = [np.quantile(scores[:, i], q) for i, q in enumerate(np.linspace(0.6, 0.98, num_tags))]
    return (X + 5).astype(np.float32), (scores > limits).astype(int)


def search_in_float64(X, queries, k):
    """Every difference squared; equal distances in the order of the training images."""
    squared = ((queries[:, None].astype(float) - X.astype(float)) ** 2).sum(axis=2)
    indices = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(squared, indices, axis=1)


@pytest.fixture
def small_blocks(monkeypatch):
    """So that small inputs are cut into several blocks, the last ones incomplete."""
    monkeypatch.setattr(neighbors, "NUM_QUERIES", 7)
    monkeypatch.setattr(neighbors, "_NUM_TRAIN", 16)
    monkeypatch.setattr(linear_svm, "_NUM_ROWS", 64)


@pytest.mark.parametrize("k", [1, 5, 30, 120])
def test_neighbors_are_those_of_a_search_in_float64(small_blocks, k):
    random = np.random.default_rng(1)
    X = random.normal(size=(120, 9)).astype(np.float32)
    queries = random.normal(size=(23, 9)).astype(np.float32)
    found = NearestImages(X).find(queries, k)
    expected = search_in_float64(X, queries, k)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-18, 1, 1e18])
def test_neighbors_do_not_lose_digits_to_an_offset_or_a_unit(unit):
    # In float32, |q|^2 - 2 q.x + |x|^2 of values near 10,000 is wrong by more than the distances.
    random = np.random.default_rng(2)
    X, queries = ((10_000 + random.normal(size=(n, 8))).astype(np.float32) for n in (200, 20))
    X, queries = X * np.float32(unit), queries * np.float32(unit)
    found = NearestImages(X).find(queries, 10)
    expected = search_in_float64(X, queries, 10)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_of_equally_far_images_the_earlier_ones_are_neighbors(small_blocks):
    # A grid of whole numbers: each distance many times, in all blocks.
    X = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2)
    X = X.astype(np.float32)
    np.testing.assert_array_equal(NearestImages(X).find(X, 6)[0], search_in_float64(X, X, 6)[0])


def test_an_image_of_the_training_set_is_its_own_neighbor_at_distance_0():
    X, _ = correlated(num_images=300)
    indices, squared = NearestImages(X).find(X, 1)
    np.testing.assert_array_equal(indices[:, 0], np.arange(300))
    assert not squared.any()


def test_faiss_finds_the_same_neighbors():
    pytest.importorskip("faiss")
    X, Y = correlated(num_images=400)
    annotator = KNNAnnotator(k=9, search="faiss").fit(X, Y)
    expected = KNNAnnotator(k=9).fit(X, Y)
    assert annotator.scale_ == expected.scale_
    np.testing.assert_array_equal(
        annotator.decision_function(X[:50] + 0.1), expected.decision_function(X[:50] + 0.1)
    )


def test_without_faiss_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"warptag\[faiss\]"):
        KNNAnnotator(search="faiss").fit(*clusters())


def test_knn_keeps_float32_rows_without_a_copy():
    X, Y = clusters()
    assert np.shares_memory(KNNAnnotator().fit(X, Y).nearest_.X, X)


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


@pytest.mark.parametrize("solver", SOLVERS)
def test_svm_separates_and_is_deterministic(solver):
    X, Y = clusters()
    annotator = SVMAnnotator(solver=solver).fit(X, Y)
    new_X, new_Y = clusters(seed=1)
    scores = annotator.decision_function(new_X)
    assert scores.dtype == np.float32
    assert (scores.argmax(axis=1) == new_Y.argmax(axis=1)).mean() > 0.95
    assert annotator.converged_.all() and annotator.trained_.all()
    again = clone(annotator).fit(X, Y)
    np.testing.assert_array_equal(scores, again.decision_function(new_X))


@pytest.mark.parametrize("solver", SOLVERS)
def test_svm_boundary_by_hand(solver):
    # Two points, one a side: the boundary is half way, wherever the points lie.
    annotator = SVMAnnotator(C=1e4, solver=solver).fit([[10.0], [14.0]], [[1, 0], [0, 1]])
    scores = annotator.decision_function([[12.0], [10.5], [13.5]])
    np.testing.assert_allclose(scores[0], [0, 0], atol=0.01)
    assert (scores[1:].argmax(axis=1) == [0, 1]).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_svm_does_not_depend_on_the_units_of_features(solver):
    X, Y = clusters()
    scores = SVMAnnotator(solver=solver).fit(X, Y).decision_function(X)
    scaled = SVMAnnotator(solver=solver).fit(100 * X, Y).decision_function(100 * X)
    np.testing.assert_allclose(scores, scaled, atol=1e-2)


@pytest.mark.parametrize("solver", SOLVERS)
def test_svm_tags_with_one_kind_of_image_come_last(solver):
    X, Y = clusters()
    never, always = np.zeros((len(Y), 1), int), np.ones((len(Y), 1), int)
    annotator = SVMAnnotator(solver=solver).fit(X, np.hstack([never, Y, always]))
    scores = annotator.decision_function(100 * X)
    assert np.isfinite(scores).all()
    assert list(annotator.trained_) == [False, True, True, True, False]
    assert len(np.unique(scores[:, [0, 4]])) == 1
    assert scores[:, [0, 4]].max() < scores[:, 1:4].min()


def test_svm_with_nothing_to_separate_scores_all_tags_alike():
    X, Y = clusters()
    scores = SVMAnnotator(solver="conjugate_gradients").fit(X, 0 * Y).decision_function(X)
    assert len(np.unique(scores)) == 1


@pytest.mark.parametrize("solver", SOLVERS)
def test_svm_leaves_unknown_images_out(solver):
    X, Y = clusters()
    wrong = np.vstack([Y, 1 - Y])
    wrong[len(Y) :, 0] = -1  # the contradicting half is unknown for tag 0 only
    annotator = SVMAnnotator(solver=solver).fit(np.vstack([X, X]), wrong)
    right = annotator.decision_function(X)[:, :2] > 0
    assert (right[:, 0] == Y[:, 0]).mean() > 0.95
    assert (right[:, 1] == Y[:, 1]).mean() < 0.9


@pytest.mark.parametrize("num_images", [1500, 40])  # more images than features, and fewer
def test_conjugate_gradients_agree_with_liblinear(small_blocks, num_images):
    X, Y = correlated()
    fit_X, fit_Y = X[:num_images], Y[:num_images]
    expected = SVMAnnotator(solver="liblinear").fit(fit_X, fit_Y)
    annotator = SVMAnnotator(solver="conjugate_gradients").fit(fit_X, fit_Y)
    assert annotator.converged_.all()
    trained = annotator.trained_
    np.testing.assert_allclose(annotator.coef_, expected.coef_, atol=1e-3)
    np.testing.assert_allclose(
        annotator.intercept_[trained], expected.intercept_[trained], atol=1e-3
    )
    scores, expected_scores = (a.decision_function(X) for a in (annotator, expected))
    np.testing.assert_allclose(scores[:, trained], expected_scores[:, trained], atol=1e-3)
    top, expected_top = (np.sort(np.argsort(-s)[:, :5]) for s in (scores, expected_scores))
    assert (top == expected_top).all(axis=1).mean() > 0.995


def test_conjugate_gradients_agree_with_liblinear_on_the_known_labels(small_blocks):
    X, Y = correlated()
    Y[np.random.default_rng(3).random(Y.shape) < 0.3] = -1
    expected = SVMAnnotator(solver="liblinear").fit(X, Y)
    annotator = SVMAnnotator(solver="conjugate_gradients").fit(X, Y)
    np.testing.assert_allclose(annotator.coef_, expected.coef_, atol=1e-3)


def test_conjugate_gradients_come_down_to_liblinears_minimum():
    X, Y = correlated()
    mean = X.mean(axis=0, dtype=float)
    weights, intercepts, _, converged = fit_linear_svms(X, Y.astype(np.int8), 2.0, mean, 1.0)
    assert converged.all()

    def objective(weight, intercept, labels):
        shortfall = np.maximum(1 - (2 * labels - 1) * ((X - mean) @ weight + intercept), 0)
        return (weight @ weight + intercept**2) / 2 + 2.0 * (shortfall**2).sum()

    for tag, labels in enumerate(Y.T):
        machine = LinearSVC(C=2.0, dual=False, tol=1e-10, max_iter=10_000).fit(X - mean, labels)
        lowest = objective(machine.coef_[0], machine.intercept_[0], labels)
        assert objective(weights[tag], intercepts[tag], labels) <= lowest * (1 + 1e-6)


def test_svm_takes_liblinear_while_it_fits(monkeypatch):
    X, Y = clusters()
    small = SVMAnnotator().fit(X, Y)
    liblinear = SVMAnnotator(solver="liblinear").fit(X, Y)
    np.testing.assert_array_equal(small.coef_, liblinear.coef_)
    monkeypatch.setattr("warptag.baselines.svm._MAX_LIBLINEAR_VALUES", X.size - 1)
    large = SVMAnnotator().fit(X, Y)
    gradients = SVMAnnotator(solver="conjugate_gradients").fit(X, Y)
    np.testing.assert_array_equal(large.coef_, gradients.coef_)
    assert (large.coef_ != small.coef_).any()


def test_svm_says_when_conjugate_gradients_stopped_early(monkeypatch):
    monkeypatch.setattr(linear_svm, "_MAX_ITERATIONS", 1)
    with pytest.warns(ConvergenceWarning, match="8 of 8 tags"):
        annotator = SVMAnnotator(solver="conjugate_gradients").fit(*correlated())
    assert not annotator.converged_.any()


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


@pytest.mark.parametrize(
    "annotator",
    [KNNAnnotator(k=7, sigma=0.5, search="faiss"), SVMAnnotator(C=3.0, solver="liblinear", seed=4)],
)
def test_parameters_survive_a_clone(annotator):
    assert clone(annotator).get_params() == annotator.get_params()


@pytest.mark.parametrize("kind", [KNNAnnotator, SVMAnnotator])
def test_bad_input_is_refused(kind):
    X, Y = clusters()
    with pytest.raises(NotFittedError):
        kind().decision_function(X)
    with pytest.raises(ValueError, match="one row an image"):
        kind().fit(X, Y[:-1])
    with pytest.raises(TypeError, match="[Ss]parse"):
        kind().fit(csr_array(X), Y)
    with pytest.raises(ValueError, match="num_images, num_features"):
        kind().fit(X[:, 0], Y)
    with pytest.raises(ValueError, match="1, 0 or -1"):
        kind().fit(X, 2 * Y)
    with pytest.raises(ValueError, match="empty"):
        kind().fit(X[:0], Y[:0])
    with pytest.raises(ValueError, match="3 features"):
        kind().fit(X, Y).decision_function(X[:, :2])
    assert kind().fit(X, Y).decision_function(X[:0]).shape == (0, 3)


@pytest.mark.parametrize("kind", [KNNAnnotator, SVMAnnotator])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_the_first_bad_feature_is_named(kind, value, monkeypatch):
    monkeypatch.setattr("warptag.baselines.validation._BLOCK_VALUES", 30)
    X, Y = clusters()
    X = X.astype(np.float64)
    X[57, 2] = X[90, 0] = value
    with pytest.raises(ValueError, match="NaN or infinity.*image 57, feature 2"):
        kind().fit(X, Y)


@pytest.mark.parametrize(
    "annotator",
    [
        KNNAnnotator(k=0),
        KNNAnnotator(sigma=0),
        KNNAnnotator(sigma=math.nan),
        KNNAnnotator(search="kd_tree"),
        SVMAnnotator(C=0),
        SVMAnnotator(solver="primal"),
    ],
)
def test_bad_parameters_are_refused(annotator):
    with pytest.raises(ValueError, match="got"):
        annotator.fit(*clusters())


def test_baselines_need_no_tensorflow():
    code = "import sys, warptag.baselines; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
