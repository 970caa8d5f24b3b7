"""What all annotators promise: scikit-learn's conventions, bad input, odd training sets."""

import math

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from warptag.baselines import (
    JECAnnotator,
    KernelEmbedding,
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
)

KINDS = [KNNAnnotator, SVMAnnotator, JECAnnotator, TagPropAnnotator, TwoPassKNNAnnotator]
WITH_BLOCKS = [JECAnnotator, TagPropAnnotator, TwoPassKNNAnnotator]


def random_set(num_images=60, num_tags=6, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    return random.normal(size=(num_images, 5)).astype(np.float32), labels


class AnyTarget:
    """Labels of 1 and 0 out of whatever targets the checks make up.

    Annotators take 1, 0 and -1 only; everything else is checked on the annotator as it is.
    """

    def fit(self, X, Y):
        if Y is not None and len(Y):
            Y = np.equal(Y, np.max(Y)).astype(int).reshape(len(Y), -1)
        return super().fit(X, Y)


def checked(kind):
    """The class with `AnyTarget`, as a name of this module, so that it can be pickled."""
    name = f"Checked{kind.__name__}"
    globals()[name] = type(name, (AnyTarget, kind), {"__module__": __name__})
    return globals()[name]


CHECKED = [
    checked(KNNAnnotator)(k=3),
    checked(SVMAnnotator)(),
    checked(JECAnnotator)(),
    checked(TagPropAnnotator)(k=10),
    checked(TwoPassKNNAnnotator)(),
    KernelEmbedding("linear", num_components=2),
]
# To 1e-9, while base distances are float32 products; the next test has their tolerance.
TO_THE_LAST_BIT = ("check_methods_sample_order_invariance", "check_methods_subset_invariance")


CHECKS = [pair for estimator in CHECKED for pair in estimator_checks_generator(estimator)]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_estimators_follow_scikit_learns_conventions(estimator, check):
    if isinstance(estimator, tuple(WITH_BLOCKS)) and check.func.__name__ in TO_THE_LAST_BIT:
        return
    check(estimator)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_do_not_depend_on_the_other_images(kind):
    X, Y = random_set()
    annotator = kind().fit(X, Y)
    together = annotator.decision_function(X)
    alone = np.concatenate([annotator.decision_function(X[i : i + 1]) for i in (59, 3)])
    np.testing.assert_allclose(alone, together[[59, 3]], rtol=1e-3, atol=1e-5)
    assert annotator.decision_function(X[:0]).shape == (0, 6)


@pytest.mark.parametrize("kind", [KNNAnnotator, JECAnnotator, TwoPassKNNAnnotator])
def test_an_unknown_label_counts_as_an_absent_tag(kind):
    X, Y = random_set()
    scores = kind().fit(X, Y).decision_function(X)
    unknown = kind().fit(X, np.where(Y == 0, -1, Y)).decision_function(X)
    np.testing.assert_array_equal(scores, unknown)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_train", [1, 2, 3])
def test_few_or_identical_training_images_are_enough(kind, num_train):
    Y = np.eye(3, dtype=int)[:num_train]
    for X in (np.ones((num_train, 2)), np.arange(2.0 * num_train).reshape(-1, 2)):
        scores = kind().fit(X, Y).decision_function([[1, 1], [1e4, -7]])
        assert scores.shape == (2, 3) and np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *((kind, "k", value) for kind in KINDS if kind != SVMAnnotator for value in (0, 1.5)),
        *((kind, "blocks", value) for kind in WITH_BLOCKS for value in ([4], [5, 0])),
        (KNNAnnotator, "sigma", math.nan),
        (SVMAnnotator, "C", 0),
        (TagPropAnnotator, "weights", "both"),
        (TwoPassKNNAnnotator, "scale", math.inf),
    ],
)
def test_parameters_out_of_range_are_refused(kind, name, value):
    with pytest.raises(ValueError, match=rf"{name}.* got "):
        kind(**{name: value}).fit(*random_set())


# scikit-learn's checks have the other refusals.
@pytest.mark.parametrize("kind", KINDS)
def test_labels_and_features_out_of_range_are_refused(kind):
    X, Y = random_set()
    far = X.astype(np.float64)
    far[57, 2] = 1e300  # beyond float32
    for bad_X, bad_Y in [(X, 2 * Y), (X, Y[:, 0]), (X, Y[:-1]), (far, Y)]:
        with pytest.raises(ValueError):
            kind().fit(bad_X, bad_Y)


@pytest.mark.parametrize("kind", KINDS)
def test_tags_without_an_image_come_last(kind):
    X, Y = random_set()
    never, unknown = 0 * Y[:, :1], 0 * Y[:, :1] - 1
    scores = kind().fit(X, np.hstack([never, Y, unknown])).decision_function(100 * X)
    assert np.isfinite(scores).all()
    assert (scores[:, [0, -1]].max(axis=1) <= scores[:, 1:-1].min(axis=1)).all()
