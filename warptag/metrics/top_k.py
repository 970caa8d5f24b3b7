"""The paper's metrics at k tags per image as streaming Keras metrics (fractions of 1)."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from warptag.keras_api import ops, value_of
from warptag.labels import check_choice, write_columns
from warptag.metrics.base import TagMetric, ratio
from warptag.metrics.counts import is_integer

# The lowest finite float32: a known tag at -inf still ranks above every unknown tag.
LOWEST = -3.4028234e38


class TopKCounts:
    """Correct, predicted and positive images of every tag, at one or several k.

    The rules are those of `warptag.metrics.annotation_report`.
    """

    METRICS = (
        "per_class_recall",
        "per_class_precision",
        "per_class_f1",
        "overall_recall",
        "overall_precision",
        "overall_f1",
        "n_plus",
    )

    def __init__(
        self, metric: TagMetric, ks: Sequence[int], num_tags: int, per_class_f1: str = "means"
    ):
        if max(ks) > num_tags:
            raise ValueError(f"k must be at most the number of tags ({num_tags}), got {max(ks)}")
        self.per_class_f1 = per_class_f1
        names = ("correct", "predicted", "positive")
        self.variables = {
            k: [metric.add_state(f"{name}_at_{k}", num_tags) for name in names] for k in ks
        }

    def add(self, labels, scores, weight) -> None:
        known = ops.logical_or(labels.positive, labels.negative)
        ranked = _top_tags(scores, known, max(self.variables))
        for k, (correct, predicted, positive) in self.variables.items():
            chosen = ranked[:, :k]
            zeros = ops.zeros(ops.shape(known), weight.dtype)
            given = write_columns(zeros, chosen, ops.ones(ops.shape(chosen), weight.dtype))
            # Unknown tags come last, where fewer than k tags are known.
            given = weight * ops.where(known, given, 0.0)
            correct.assign_add(ops.sum(ops.where(labels.positive, given, 0.0), axis=0))
            predicted.assign_add(ops.sum(given, axis=0))
            positive.assign_add(ops.sum(weight * ops.cast(labels.positive, weight.dtype), axis=0))

    def values(self) -> dict:
        return {
            f"{name}_at_{k}": value
            for k, variables in self.variables.items()
            for name, value in self._metrics(*map(value_of, variables)).items()
        }

    def _metrics(self, correct, predicted, positive) -> dict:
        occurring = ops.cast(positive > 0, positive.dtype)

        def mean(values):
            return ratio(ops.sum(values * occurring), ops.sum(occurring))

        recall, precision = mean(ratio(correct, positive)), mean(ratio(correct, predicted))
        overall_recall = ratio(ops.sum(correct), ops.sum(positive))
        overall_precision = ratio(ops.sum(correct), ops.sum(predicted))
        if self.per_class_f1 == "means":
            per_class_f1 = _f1(precision, recall)
        else:
            per_class_f1 = mean(ratio(2 * correct, predicted + positive))
        values = (
            recall,
            precision,
            per_class_f1,
            overall_recall,
            overall_precision,
            _f1(overall_precision, overall_recall),
            mean(ops.cast(correct > 0, positive.dtype)),
        )
        return dict(zip(self.METRICS, values, strict=True))


def _top_tags(scores, known, k: int):
    """The k highest scored known tags of each image: int (batch, k). Ties go to the lower tag."""
    # XLA orders -0.0 below 0.0.
    scores = ops.where(ops.equal(scores, 0), 0.0, ops.maximum(scores, LOWEST))
    scores = ops.where(known, scores, -float("inf"))
    if keras.backend.backend() == "torch":
        # The order of ties is undefined in torch.topk; Keras's argsort is stable.
        return ops.argsort(0.0 - scores, axis=-1)[:, :k]
    return ops.top_k(scores, k)[1]


def _f1(precision, recall):
    return ratio(2 * precision * recall, precision + recall)


def check_k(k) -> int:
    if not is_integer(k) or k < 1:
        raise ValueError(f"k must be a positive integer, got {k!r}")
    return int(k)


class TopKMetric(TagMetric):
    """Base class of the metrics at k tags per image.

    The rules are those of `warptag.metrics.annotation_report`: exactly k tags per image, ties go
    to the lower tag index, and unknown labels (-1) are neither ranked nor counted.

    Args:
        k: number of tags given to each image, from 1 to the number of tags.
        name: name of the metric; the default contains k, as in `per_class_recall_at_3`.
        dtype, labels: as in `TagMetric`, like the call arguments.

    Raises:
        ValueError: if k is not a positive integer or exceeds the number of tags, or as in
            `TagMetric`.

    Example:
        >>> PerClassRecall(k=3).name
        'per_class_recall_at_3'
    """

    def __init__(self, k: int = 3, name: str | None = None, dtype=None, labels="multi_hot"):
        self.k = check_k(k)
        super().__init__(name or f"{self.metric}_at_{self.k}", dtype, labels)

    def make_states(self, num_tags):
        return [TopKCounts(self, [self.k], num_tags)]

    def metric_names(self):
        return [f"{self.metric}_at_{self.k}"]

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable("warptag")
class PerClassRecall(TopKMetric):
    """Mean over tags with a positive image of correct / positive.

    See `TopKMetric` for the arguments and rules.

    Example:
        >>> metric = PerClassRecall(k=1)
        >>> metric.update_state([[1, 0, 0], [0, 1, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> round(float(metric.result()), 3)  # (1/1 + 0/1 + 0/1) / 3
        0.333
    """

    metric = "per_class_recall"


@keras.saving.register_keras_serializable("warptag")
class PerClassPrecision(TopKMetric):
    """Mean over tags with a positive image of correct / predicted; 0 for an unpredicted tag.

    See `TopKMetric` for the arguments and rules.

    Example:
        >>> metric = PerClassPrecision(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # (1/2 + 0) / 2
        0.25
    """

    metric = "per_class_precision"


@keras.saving.register_keras_serializable("warptag")
class PerClassF1(TopKMetric):
    """F1 over the tags with a positive image.

    See `TopKMetric` for the rules.

    Args:
        average: `"means"` (default): 2 P R / (P + R) of per-class precision P and per-class
            recall R, as papers on image annotation report it (C-F1). `"tags"`: the mean of the
            tags' F1, scikit-learn's `average="macro"`.
        k, name, dtype, labels: as in `TopKMetric`. The default name with `average="tags"` is
            `per_class_macro_f1_at_3`.

    Raises:
        ValueError: if average is unknown, or as in `TopKMetric`.

    Example:
        >>> metric = PerClassF1(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> round(float(metric.result()), 3)  # P = (1/2 + 0) / 2, R = (1 + 0) / 2
        0.333
    """

    metric = "per_class_f1"

    def __init__(
        self, k: int = 3, name=None, dtype=None, labels="multi_hot", average: str = "means"
    ):
        check_choice("average", average, ("means", "tags"))
        if average == "tags" and name is None:
            name = f"per_class_macro_f1_at_{check_k(k)}"
        super().__init__(k, name, dtype, labels)
        self.average = average

    def make_states(self, num_tags):
        return [TopKCounts(self, [self.k], num_tags, per_class_f1=self.average)]

    def get_config(self):
        return {**super().get_config(), "average": self.average}


@keras.saving.register_keras_serializable("warptag")
class OverallRecall(TopKMetric):
    """Sum of correct over sum of positive. See `TopKMetric` for the arguments and rules.

    Example:
        >>> metric = OverallRecall(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # 1 of 2 positive tags given
        0.5
    """

    metric = "overall_recall"


@keras.saving.register_keras_serializable("warptag")
class OverallPrecision(TopKMetric):
    """Sum of correct over sum of predicted. See `TopKMetric` for the arguments and rules.

    Example:
        >>> metric = OverallPrecision(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # 1 of 2 given tags correct
        0.5
    """

    metric = "overall_precision"


@keras.saving.register_keras_serializable("warptag")
class OverallF1(TopKMetric):
    """2 P R / (P + R) of overall precision and recall. See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = OverallF1(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # P and R are 0.5
        0.5
    """

    metric = "overall_f1"


@keras.saving.register_keras_serializable("warptag")
class NPlus(TopKMetric):
    """Share of the tags with a positive image that are correct for at least one image.

    See `TopKMetric` for the arguments and rules.

    Example:
        >>> metric = NPlus(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # one of two tags
        0.5
    """

    metric = "n_plus"
