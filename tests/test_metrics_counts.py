"""annotation_report and its counts against loops, hand-worked values and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import precision_score, recall_score

from warptag.metrics import METRIC_NAMES, annotation_report, top_k_counts, top_k_tags


def choose(label, score, k):
    """The k best known tags of one image, by picking the best one k times."""
    left = [tag for tag in range(len(score)) if label[tag] != -1]
    chosen: list[int] = []
    while left and len(chosen) < k:
        best = left[0]
        for tag in left:
            if score[tag] > score[best]:
                best = tag
        chosen.append(best)
        left.remove(best)
    return chosen


def report_reference(labels, scores, k):
    """The five metrics of the paper's section 5.2 in percent, one image and tag at a time."""
    num_tags = len(labels[0])
    correct, predicted, positive = ([0] * num_tags for _ in range(3))
    for label, score in zip(labels, scores, strict=True):
        for tag in choose(label, score, k):
            predicted[tag] += 1
            correct[tag] += int(label[tag] == 1)
        for tag in range(num_tags):
            positive[tag] += int(label[tag] == 1)
    occurring = [tag for tag in range(num_tags) if positive[tag]]

    def percent(numerator, denominator):
        return 100.0 * numerator / denominator if denominator else 0.0

    def mean(values):
        return sum(values) / len(values) if values else 0.0

    return {
        "per_class_recall": mean([percent(correct[t], positive[t]) for t in occurring]),
        "per_class_precision": mean([percent(correct[t], predicted[t]) for t in occurring]),
        "overall_recall": percent(sum(correct), sum(positive)),
        "overall_precision": percent(sum(correct), sum(predicted)),
        "n_plus": mean([100.0 * (correct[t] > 0) for t in occurring]),
    }


def random_batch(seed=0, num_images=40, num_tags=11, unknown=0.2):
    """Labels of all kinds, tied scores, a tag without positives and one that is never given."""
    generator = np.random.default_rng(seed)
    shares = [0.25, 0.75 - unknown, unknown]
    labels = generator.choice([1.0, 0.0, -1.0], (num_images, num_tags), p=shares)
    labels[:, 2] = 0
    scores = generator.integers(0, 6, (num_images, num_tags)) / 2
    scores[:, 5] = -9
    labels[0] = -1
    return labels, scores


@pytest.mark.parametrize("k", [1, 3, 5, 11])
@pytest.mark.parametrize("unknown", [0.0, 0.2, 0.7])
def test_the_report_is_the_papers(k, unknown):
    labels, scores = random_batch(unknown=unknown)
    report = annotation_report(labels, scores, k)
    assert tuple(report) == METRIC_NAMES
    assert report == pytest.approx(report_reference(labels, scores, k))


# Three images, four tags, two tags per image:
#   image 0 has 0 and 1, is given 0 and 1;  image 1 has 0, is given 0 and 2
#   image 2 has 3, is given 0 and 1.        Tag 2 has no positive image, tag 3 is never given.
LABELS = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
SCORES = [[9, 8, 2, 1], [9, 1, 8, 2], [9, 8, 2, 1]]


def test_values_by_hand():
    report = annotation_report(LABELS, SCORES, k=2)
    correct, predicted, positive = top_k_counts(LABELS, SCORES, 2)
    np.testing.assert_array_equal(correct, [2, 1, 0, 0])
    np.testing.assert_array_equal(predicted, [3, 2, 1, 0])
    np.testing.assert_array_equal(positive, [2, 1, 0, 1])
    # Means over tags 0, 1 and 3; tag 2 occurs nowhere.
    assert report["per_class_recall"] == pytest.approx(100 * (2 / 2 + 1 / 1 + 0 / 1) / 3)
    # Tag 3 was never given: precision 0.
    assert report["per_class_precision"] == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)
    assert report["overall_recall"] == pytest.approx(100 * (2 + 1) / (2 + 1 + 1))
    assert report["overall_precision"] == pytest.approx(100 * (2 + 1) / (3 * 2))
    assert report["n_plus"] == pytest.approx(100 * 2 / 3)


def test_per_class_metrics_are_means_over_tags_and_not_over_images():
    """rml-cnn averaged over images: the recalls of these three images average to 2 / 3."""
    labels, scores = [[1, 0], [1, 0], [0, 1]], [[2, 1], [2, 1], [2, 1]]
    report = annotation_report(labels, scores, k=1)
    assert report["per_class_recall"] == pytest.approx(100 * (2 / 2 + 0 / 1) / 2)
    assert report["per_class_precision"] == pytest.approx(100 * (2 / 3 + 0) / 2)


def test_scikit_learn_agrees():
    labels, scores = random_batch(unknown=0.0)
    labels[0] = 0
    given_tags = np.zeros(labels.shape, int)
    np.put_along_axis(given_tags, top_k_tags(scores, 3), 1, axis=1)
    occurring = np.flatnonzero(labels.any(axis=0))
    report = annotation_report(labels, scores, 3)
    for name, score in (("recall", recall_score), ("precision", precision_score)):
        macro = score(labels, given_tags, labels=occurring, average="macro", zero_division=0)
        micro = score(labels, given_tags, average="micro", zero_division=0)
        assert report[f"per_class_{name}"] == pytest.approx(100 * macro)
        assert report[f"overall_{name}"] == pytest.approx(100 * micro)


def test_ties_go_to_the_lower_tag():
    """Not at random, and a constant scorer gains nothing from the order of its ties."""
    np.testing.assert_array_equal(top_k_tags(np.zeros((2, 5)), 3), [[0, 1, 2]] * 2)
    np.testing.assert_array_equal(top_k_tags([[0.0, 1.0, -0.0, 1.0, 0.0]], 4), [[1, 3, 0, 2]])
    report = annotation_report([[0, 0, 1]], [[0.0, 0.0, 0.0]], k=2)
    assert set(report.values()) == {0.0}


def test_best_tags_come_first_and_unknown_ones_not_at_all():
    scores, labels = [[1.0, 9.0, 5.0, 7.0]], [[0, -1, 1, 0]]
    np.testing.assert_array_equal(top_k_tags(scores, 2), [[1, 3]])
    np.testing.assert_array_equal(top_k_tags(scores, 2, labels), [[3, 2]])
    np.testing.assert_array_equal(top_k_tags(scores, 4, labels), [[3, 2, 0, -1]])


def test_infinite_scores_rank_and_minus_infinity_still_beats_an_unknown_tag():
    scores = [[-np.inf, -np.inf, 0.0, np.inf]]
    np.testing.assert_array_equal(top_k_tags(scores, 4), [[3, 2, 0, 1]])
    np.testing.assert_array_equal(top_k_tags(scores, 2, [[-1, 0, -1, -1]]), [[1, -1]])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "bool"])
def test_scores_of_every_type_are_ranked(dtype):
    scores = np.array([[0, 1, 0, 1]]).astype(dtype)
    np.testing.assert_array_equal(top_k_tags(scores, 3), [[1, 3, 0]])


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 4)), -np.ones((3, 4)), np.zeros((0, 4))], ids=["none", "unknown", "no"]
)
def test_without_a_positive_image_all_metrics_are_zero(labels):
    report = annotation_report(labels, np.ones(labels.shape), k=2)
    assert report == dict.fromkeys(METRIC_NAMES, 0.0)


@st.composite
def labels_and_scores(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=8))
    labels = draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 1)))
    scores = draw(hnp.arrays(np.float64, shape, elements=st.integers(-3, 3).map(float)))
    return labels, scores, draw(st.integers(1, shape[1]))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(labels_and_scores())
def test_precision_times_k_over_recall_is_the_mean_number_of_tags(batch):
    """In every row of the paper's tables it is 2.41 tags per image."""
    labels, scores, k = batch
    report = annotation_report(labels, scores, k)
    tags_per_image = labels.sum() / len(labels)
    identity = report["overall_precision"] * k
    assert identity == pytest.approx(report["overall_recall"] * tags_per_image)
    if report["overall_recall"]:
        assert identity / report["overall_recall"] == pytest.approx(tags_per_image)


@pytest.mark.parametrize("k", [0, -1, 5, 2.0, "2", None, True])
def test_k_out_of_range_is_named(k):
    with pytest.raises(ValueError, match=rf"k must be .*\(4\), got {k!r}"):
        annotation_report(LABELS, SCORES, k)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([[1, 0]], [[1.0, 0.0, 2.0]], r"got \(1, 2\) and \(1, 3\)"),
        ([[1, 0, 0]], [[1.0, 0.0, 0.0]] * 2, r"got \(1, 3\) and \(2, 3\)"),
        ([1, 0], [1.0, 0.0], r"got shape \(2,\)"),
        ([[2, 0]], [[1.0, 0.0]], "got 2"),
        ([[0.5, 0]], [[1.0, 0.0]], "got 0.5"),
        ([[1, 0]] * 2, [[1.0, 0.0], [0.0, np.nan]], "image 1, tag 1"),
    ],
)
def test_bad_arrays_are_named(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        annotation_report(labels, scores, 1)
