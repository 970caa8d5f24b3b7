"""annotation_report and its counts against loops and values by hand."""

import numpy as np
import pytest

from warptag.metrics import METRIC_NAMES, annotation_report, top_k_counts, top_k_tags


def choose(label, score, k):
    """The k best known tags of one image; of equal scores, the lower tags."""
    known = [tag for tag in range(len(score)) if label[tag] != -1]
    return sorted(known, key=lambda tag: (-score[tag], tag))[:k]


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


@pytest.mark.parametrize("k", [1, 3, 11])
@pytest.mark.parametrize("unknown", [0.0, 0.2, 0.7])
def test_the_report_is_the_papers(k, unknown):
    labels, scores = random_batch(unknown=unknown)
    report = annotation_report(labels, scores, k)
    assert tuple(report) == METRIC_NAMES
    assert report == pytest.approx(report_reference(labels, scores, k))
    # A whole weight counts an image that often.
    weights = np.random.default_rng(0).integers(0, 4, 40)
    repeated = report_reference(labels.repeat(weights, 0), scores.repeat(weights, 0), k)
    assert annotation_report(labels, scores, k, weights) == pytest.approx(repeated)


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


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "bool"])
def test_scores_of_every_type_are_ranked(dtype):
    scores = np.array([[0, 1, 0, 1]]).astype(dtype)
    np.testing.assert_array_equal(top_k_tags(scores, 3), [[1, 3, 0]])


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 4)), -np.ones((3, 4)), np.zeros((0, 4))], ids=["none", "unknown", "no"]
)
def test_without_a_positive_image_all_metrics_are_zero(labels):
    report = annotation_report(labels, np.ones(labels.shape), k=2)
    assert report == dict.fromkeys(METRIC_NAMES, 0.0)
