"""Mean average precision over tags, exact: from every score instead of from thresholds."""

from __future__ import annotations

import warnings

import keras
import numpy as np

from warptag.keras_api import ops, value_of
from warptag.keras_api.backend import is_concrete, is_meta, replica
from warptag.metrics.base import TagMetric, ratio
from warptag.metrics.counts import checked_arrays, checked_weight, is_integer


def mean_average_precision(y_true, scores, sample_weight=None) -> float:
    """Mean over tags of the average precision of ranking the images by the tag's score.

    Average precision is the sum over distinct scores of the gain in recall times the precision
    among the images with at least that score (scikit-learn's `average_precision_score`), so tied
    images count alike. Images whose label is unknown (-1) are left out of that tag's ranking, and
    tags without a positive image are left out of the mean.

    Args:
        y_true: labels (num_images, num_tags): 1, 0, or -1 for unknown.
        scores: array of the same shape, higher is better.
        sample_weight: optional (num_images,), numbers of at least 0.

    Returns:
        A number from 0 to 1; 0 if no tag has a positive image.

    Raises:
        ValueError: if shapes do not match, a label is invalid, or a score is NaN.

    Example:
        >>> # Ranked by the only tag: yes, no, yes. (1/2) (1/1) + (1/2) (2/3)
        >>> round(mean_average_precision([[1], [0], [1]], [[3.0], [2.0], [1.0]]), 3)
        0.833
    """
    labels, scores = checked_arrays(y_true, scores)
    weight = checked_weight(sample_weight, len(scores))
    values = []
    for tag in range(scores.shape[1]):
        known = (labels[:, tag] != -1) & (weight > 0)
        positive = (weight * (labels[:, tag] == 1))[known]
        if not positive.any():
            continue
        order = np.argsort(-scores[known, tag], kind="stable")
        ranked = scores[known, tag][order]
        last = np.append(ranked[1:] != ranked[:-1], True)
        hits = np.cumsum(positive[order])[last]
        given = np.cumsum(weight[known][order])[last]
        values.append((np.diff(hits, prepend=0.0) * hits / given).sum() / hits[-1])
    return float(np.mean(values)) if values else 0.0


@keras.saving.register_keras_serializable("warptag")
class MeanAveragePrecision(TagMetric):
    """Streaming `mean_average_precision`, exact, from 0 to 1.

    The exact value needs every score: the state holds num_images x num_tags scores and as many
    labels in float32 (6.5 MB for 10,000 images of 81 tags), and every result sorts them; Keras
    asks for one after each batch. For large data sets, `mean_average_precision` on the output of
    `model.predict` is cheaper.

    Args:
        num_images: maximum number of images in one evaluation (in `fit`, in an epoch). With more
            images the result is NaN, with a warning outside compiled graphs, because a part of
            the images would give a different number.
        name, dtype, labels: as in `TagMetric`, like the call arguments.

    Raises:
        ValueError: if num_images is not a positive integer, or as in `TagMetric`.

    Example:
        >>> metric = MeanAveragePrecision(num_images=3)
        >>> metric.update_state([[1], [0], [1]], [[3.0], [2.0], [1.0]])
        >>> round(float(metric.result()), 3)  # (1/2) (1/1) + (1/2) (2/3)
        0.833
    """

    metric = "mean_average_precision"

    def __init__(self, num_images: int = 10_000, name=None, dtype=None, labels="multi_hot"):
        super().__init__(name, dtype, labels)
        self.num_images = check_num_images(num_images)

    def make_states(self, num_tags):
        return [KeptScores(self, self.num_images, num_tags)]

    def get_config(self):
        return {**super().get_config(), "num_images": self.num_images}


def check_num_images(num_images) -> int:
    if not is_integer(num_images) or num_images < 1:
        raise ValueError(f"num_images must be a positive integer, got {num_images!r}")
    return int(num_images)


class KeptScores:
    """All scores and labels so far.

    Replicas write to separate rows, so that the sum over replicas, by which Keras merges state,
    contains the rows of all.
    """

    def __init__(self, metric: TagMetric, num_images: int, num_tags: int):
        self.num_images = num_images
        # The last row takes the images in excess.
        self.scores = metric.add_state("scores", num_images + 1, num_tags)
        # 1 positive, -1 negative, 0 unknown or empty.
        self.signs = metric.add_state("signs", num_images + 1, num_tags)
        self.weights = metric.add_state("weights", num_images + 1)
        self.seen = metric.add_state("seen")
        self.excess = metric.add_state("excess")

    def add(self, labels, scores, weight) -> None:
        replica_id, num_replicas = replica()
        batch = ops.shape(scores)[0]
        rows = ops.cast(value_of(self.seen), "int32") + ops.arange(batch, dtype="int32")
        rows = rows * num_replicas + replica_id
        excess = ops.sum(ops.cast(rows >= self.num_images, self.excess.dtype))
        if is_concrete(excess) and int(excess):
            warnings.warn(
                f"mean average precision is NaN after more than num_images={self.num_images} "
                "images; pass a larger num_images",
                RuntimeWarning,
                stacklevel=2,
            )
        rows = ops.minimum(rows, self.num_images)[:, None]
        dtype = self.scores.dtype
        signs = ops.cast(labels.positive, dtype) - ops.cast(labels.negative, dtype)
        for variable, values in (
            (self.scores, ops.cast(scores, dtype)),
            (self.signs, signs),
            (self.weights, weight[:, 0]),
        ):
            variable.assign(ops.scatter_update(value_of(variable), rows, values))
        self.seen.assign_add(ops.cast(batch, dtype))
        self.excess.assign_add(excess)

    def values(self) -> dict:
        return {"mean_average_precision": self._mean_average_precision()}

    def _mean_average_precision(self):
        if is_meta(value_of(self.scores)):
            return value_of(self.excess)
        # One row per tag, with its images by decreasing score.
        scores = ops.transpose(value_of(self.scores)[:-1])
        signs = ops.transpose(value_of(self.signs)[:-1])
        weights = value_of(self.weights)[:-1][None, :]
        order = ops.argsort(0.0 - scores, axis=-1)
        scores = ops.take_along_axis(scores, order, axis=-1)
        given = ops.take_along_axis(weights * ops.abs(signs), order, axis=-1)
        positive = ops.take_along_axis(weights * ops.cast(signs > 0, weights.dtype), order, axis=-1)
        # Equal scores are one step of the ranking: sum over each run of them.
        new = ops.cast(scores[:, 1:] != scores[:, :-1], "int32")
        step = ops.pad(ops.cumsum(new, axis=-1), ((0, 0), (1, 0)))
        num_tags, num_images = scores.shape
        segments = ops.reshape(step + num_images * ops.arange(num_tags)[:, None], (-1,))

        def by_step(values):
            sums = ops.segment_sum(ops.reshape(values, (-1,)), segments, num_tags * num_images)
            return ops.reshape(sums, (num_tags, num_images))

        gained = by_step(positive)
        hits, seen = ops.cumsum(gained, axis=-1), ops.cumsum(by_step(given), axis=-1)
        total = hits[:, -1]
        values = ratio(ops.sum(gained * ratio(hits, seen), axis=-1), total)
        mean = ratio(ops.sum(values), ops.sum(ops.cast(total > 0, total.dtype)))
        return ops.where(value_of(self.excess) > 0, float("nan"), mean)
