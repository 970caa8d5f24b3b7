"""The paper's figures at k tags an image as streaming Keras metrics (fractions of 1)."""

from __future__ import annotations

import keras

from warptag.keras_api import ops, value_of
from warptag.labels import write_columns
from warptag.metrics.base import TagMetric, ratio
from warptag.metrics.counts import is_integer

# Float32's lowest finite number: a known tag at -inf still ranks above every unknown tag.
LOWEST = -3.4028234e38

AVERAGES = ("means", "tags")


def rank_tags(labels, scores, k: int):
    """The k highest scored known tags of each image: int (batch, k). Ties go to the lower tag."""
    known = ops.logical_or(labels.positive, labels.negative)
    # XLA orders -0.0 below 0.0.
    scores = ops.where(ops.equal(scores, 0), 0.0, ops.maximum(scores, LOWEST))
    scores = ops.where(known, scores, -float("inf"))
    if keras.backend.backend() == "torch":
        # torch.topk leaves the order of ties open; Keras's argsort is stable.
        return ops.argsort(0.0 - scores, axis=-1)[:, :k]
    return ops.top_k(scores, k)[1]


class TopKCounts:
    """Correct, predicted and positive images of every tag, as state of a metric.

    The rules are those of `warptag.metrics.annotation_report`.
    """

    FIGURES = (
        "per_class_recall",
        "per_class_precision",
        "per_class_f1",
        "overall_recall",
        "overall_precision",
        "overall_f1",
        "n_plus",
    )

    def __init__(self, metric: TagMetric, k: int, num_tags: int, prefix: str = ""):
        if k > num_tags:
            raise ValueError(f"k must be at most the number of tags ({num_tags}), got {k}")
        self.k = k
        names = ("correct", "predicted", "positive")
        self.variables = [metric.add_state(prefix + name, num_tags) for name in names]

    def add(self, labels, ranked, weight) -> None:
        """Add a batch; ranked are at least k columns of `rank_tags`, weight is (batch, 1)."""
        correct, predicted, positive = self.variables
        chosen = ranked[:, : self.k]
        nothing = ops.zeros(ops.shape(labels.positive), weight.dtype)
        given = write_columns(nothing, chosen, ops.ones(ops.shape(chosen), weight.dtype))
        # Where fewer than k tags are known, unknown ones come last.
        known = ops.logical_or(labels.positive, labels.negative)
        given = weight * ops.where(known, given, 0.0)
        correct.assign_add(ops.sum(ops.where(labels.positive, given, 0.0), axis=0))
        predicted.assign_add(ops.sum(given, axis=0))
        positive.assign_add(ops.sum(weight * ops.cast(labels.positive, weight.dtype), axis=0))

    def figures(self, per_class_f1: str = "means") -> dict:
        """The paper's five figures and F1, scalars from 0 to 1."""
        correct, predicted, positive = (value_of(variable) for variable in self.variables)
        occurring = ops.cast(positive > 0, positive.dtype)

        def mean(values):
            return ratio(ops.sum(values * occurring), ops.sum(occurring))

        recall, precision = mean(ratio(correct, positive)), mean(ratio(correct, predicted))
        overall_recall = ratio(ops.sum(correct), ops.sum(positive))
        overall_precision = ratio(ops.sum(correct), ops.sum(predicted))
        if per_class_f1 == "means":
            f1 = _f1(precision, recall)
        else:
            f1 = mean(ratio(2 * correct, predicted + positive))
        values = (
            recall,
            precision,
            f1,
            overall_recall,
            overall_precision,
            _f1(overall_precision, overall_recall),
            mean(ops.cast(correct > 0, positive.dtype)),
        )
        return dict(zip(self.FIGURES, values, strict=True))


def check_k(k) -> int:
    if not is_integer(k) or k < 1:
        raise ValueError(f"k must be a positive integer, got {k!r}")
    return int(k)


def _f1(precision, recall):
    return ratio(2 * precision * recall, precision + recall)


class TopKMetric(TagMetric):
    """Base: one figure of the correct, predicted and positive counts of every tag.

    The rules are those of `warptag.metrics.annotation_report`: exactly k tags an image, ties to
    the lower tag index, labels of -1 (unknown) neither ranked nor counted.

    Args:
        k: number of tags given to each image, from 1 to the number of tags.
        name: name of the metric; the default carries k, as in `per_class_recall_at_3`.
        dtype, labels: as `TagMetric`, with its call arguments.

    Raises:
        ValueError: k is not a positive integer or is above the number of tags, or as `TagMetric`.

    Example:
        >>> PerClassRecall(k=3).name
        'per_class_recall_at_3'
    """

    figure = "top_k"

    def __init__(self, k: int = 3, name: str | None = None, dtype=None, labels="multi_hot"):
        self.k = check_k(k)
        super().__init__(name or f"{self.figure}_at_{self.k}", dtype, labels)

    def add_variables(self, num_tags):
        self._counts = TopKCounts(self, self.k, num_tags)

    def add_batch(self, labels, scores, weight):
        self._counts.add(labels, rank_tags(labels, scores, self.k), weight)

    def value(self):
        return self.figures()[self.figure]

    def figures(self) -> dict:
        return self._counts.figures()

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable("warptag")
class PerClassRecall(TopKMetric):
    """Mean over tags with a positive image of correct / positive, at k tags an image.

    See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = PerClassRecall(k=1)
        >>> metric.update_state([[1, 0, 0], [0, 1, 1]], [[3., 2., 1.], [3., 1., 2.]])
        >>> round(float(metric.result()), 3)  # (1/1 + 0/1 + 0/1) / 3
        0.333
    """

    figure = "per_class_recall"


@keras.saving.register_keras_serializable("warptag")
class PerClassPrecision(TopKMetric):
    """Mean over tags with a positive image of correct / predicted; 0 for an unpredicted tag.

    See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = PerClassPrecision(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # (1/2 + 0) / 2
        0.25
    """

    figure = "per_class_precision"


@keras.saving.register_keras_serializable("warptag")
class PerClassF1(TopKMetric):
    """F1 of the tags with a positive image, at k tags an image.

    Args:
        average: `"means"` (default): 2 P R / (P + R) of per-class precision P and per-class
            recall R, what papers on image annotation print (as C-F1). `"tags"`: the mean over
            tags of each tag's F1, scikit-learn's `average="macro"`.
        k, name, dtype, labels: as `TopKMetric`, with its rules. The default name with
            `average="tags"` is `per_class_macro_f1_at_3`.

    Example:
        >>> metric = PerClassF1(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> round(float(metric.result()), 3)  # P = (1/2 + 0) / 2, R = (1 + 0) / 2
        0.333
    """

    figure = "per_class_f1"

    def __init__(
        self, k: int = 3, name=None, dtype=None, labels="multi_hot", average: str = "means"
    ):
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {AVERAGES}, got {average!r}")
        if average == "tags" and name is None:
            name = f"per_class_macro_f1_at_{check_k(k)}"
        super().__init__(k, name, dtype, labels)
        self.average = average

    def figures(self):
        return self._counts.figures(per_class_f1=self.average)

    def get_config(self):
        return {**super().get_config(), "average": self.average}


@keras.saving.register_keras_serializable("warptag")
class OverallRecall(TopKMetric):
    """Sum of correct over sum of positive. See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = OverallRecall(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # 1 of 2 true tags given
        0.5
    """

    figure = "overall_recall"


@keras.saving.register_keras_serializable("warptag")
class OverallPrecision(TopKMetric):
    """Sum of correct over sum of predicted. See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = OverallPrecision(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # 1 of 2 given tags right
        0.5
    """

    figure = "overall_precision"


@keras.saving.register_keras_serializable("warptag")
class OverallF1(TopKMetric):
    """2 P R / (P + R) of overall precision and recall. See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = OverallF1(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # P and R are 0.5
        0.5
    """

    figure = "overall_f1"


@keras.saving.register_keras_serializable("warptag")
class NPlus(TopKMetric):
    """Share of the tags with a positive image that were given correctly at least once.

    See `TopKMetric` for arguments and rules.

    Example:
        >>> metric = NPlus(k=1)
        >>> metric.update_state([[1, 0], [0, 1]], [[2.0, 1.0], [2.0, 1.0]])
        >>> float(metric.result())  # one of two tags
        0.5
    """

    figure = "n_plus"
