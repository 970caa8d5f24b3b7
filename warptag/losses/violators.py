"""A weighted pairwise hinge over all positives and negatives, without a table of pairs.

With weights w_j that are constant to the gradient, the sum

    J = sum over positive j of w_j * sum over negative k with f_k > f_j - margin
        of (margin - f_j + f_k)

is linear in the scores between its kinks: J = margin * sum_j w_j V_j + sum_t g_t f_t, where V_j is
the number of negatives that violate positive j, g_j = -w_j V_j for a positive and g_k is the sum
of w_j over the positives that negative k violates. So V and g are all there is to compute, and
differentiating the linear form gives the gradient.

V and g take a pass over the scores for each positive, in a loop that ends with the last positive
of the batch: O(num_tags * positives) time and O(num_tags) memory for an image, whether compiled
(where shapes cannot follow the labels) or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from warptag.keras_api import ops
from warptag.labels import Labels, read_columns, write_columns
from warptag.losses.base import divide

# Positives that are taken up at once, one column each. Most images have fewer.
NUM_COLUMNS = 16


class Batch(NamedTuple):
    """What every positive is compared with; constant to the gradient.

    Attributes:
        scores: float (batch, num_tags).
        positive: boolean (batch, num_tags).
        negative_scores: float (batch, num_tags), -inf where a tag is no negative.
        num_positive: float (batch, 1).
        num_negative: float (batch, 1).
        margin: float.
    """

    scores: Any
    positive: Any
    negative_scores: Any
    num_positive: Any
    num_negative: Any
    margin: float


class Positives(NamedTuple):
    """Some positives of each image, one column each; constant to the gradient.

    Attributes:
        batch: the `Batch` they are of.
        tags: int (batch, n), indices of tags.
        valid: boolean (batch, n), false in columns beyond the image's positives.
        scores: float (batch, n), f_j.
        violators: float (batch, n), V_j; 0 where not valid.
        part: int, a tensor (): how often columns were taken up before these.
    """

    batch: Batch
    tags: Any
    valid: Any
    scores: Any
    violators: Any
    part: Any


class Sums(NamedTuple):
    """What the positives so far add up to.

    Attributes:
        slopes: float (batch, num_tags), g.
        total: float (batch, 1), sum of w_j V_j.
        scores: float (batch, 1), sum of w_j V_j f_j.
    """

    slopes: Any
    total: Any
    scores: Any


Weigh = Callable[[Positives], Any]
Choose = Callable[[Positives], Any]


def weighted_hinge(
    scores, labels: Labels, margin: float, weigh: Weigh, choose: Choose | None = None
):
    """J of each image.

    Args:
        scores: float (batch, num_tags).
        labels: `Labels` of the batch.
        margin: float.
        weigh: gets `Positives` and returns the weights w_j (batch, n).
        choose: None for the sum over every violator. Else gets `Positives` and returns which
            single violator of each to take, from 1 to V_j: float (batch, n).

    Returns:
        float (batch,).
    """
    fixed = ops.stop_gradient(scores)
    # The image's loss will be NaN where this is; its gradient is 0.
    num_negative = ops.where(ops.isnan(labels.num_negative), 0.0, labels.num_negative)
    batch = Batch(
        fixed,
        labels.positive,
        ops.where(labels.negative, fixed, -float("inf")),
        labels.num_positive[:, None],
        num_negative[:, None],
        margin,
    )
    nothing = ops.zeros_like(num_negative)[:, None]
    sums = Sums(ops.where(labels.negative, 0.0 * num_negative[:, None], 0.0), nothing, nothing)
    num_tags = scores.shape[-1]
    part = ops.zeros((), "int32")
    if labels.tags is not None:
        valid = labels.tags >= 0
        sums = _add(batch, sums, ops.where(valid, labels.tags, 0), valid, part, weigh, choose)
    elif num_tags <= NUM_COLUMNS:
        tags = ops.broadcast_to(ops.arange(num_tags, dtype="int32"), ops.shape(scores))
        sums = _add(batch, sums, tags, labels.positive, part, weigh, choose)
    else:
        sums = _add_by_parts(batch, sums, part, weigh, choose)
    slopes, total, weighted = (ops.stop_gradient(one) for one in sums)
    # The slopes of an image add up to 0, so a shift changes nothing but the rounding; and
    # scores of -inf or inf in no pair stay out.
    centred = ops.where(ops.equal(slopes, 0), 0.0, scores - divide(weighted, total))
    return margin * total[:, 0] + ops.sum(slopes * centred, axis=-1)


def _add_by_parts(batch, sums, part, weigh, choose):
    """Add every positive, as many columns at a time as `NUM_COLUMNS`."""
    num_tags = batch.scores.shape[-1]
    places = ops.arange(num_tags, dtype="int32")

    def add(more, part, last, *sums):
        # Falling with the tag, for PyTorch's top_k takes equal marks in any order.
        left = ops.where(ops.logical_and(batch.positive, places > last), num_tags - places, 0)
        left = ops.cast(left, batch.scores.dtype)
        marks, tags = ops.top_k(left, NUM_COLUMNS)
        tags, valid = ops.cast(tags, "int32"), marks > 0
        sums = _add(batch, Sums(*sums), tags, valid, part, weigh, choose)
        # Where every column is taken there may be more. (Looking at the last column alone is a
        # slice of top_k, which makes XLA sort the whole row.)
        more = ops.any(ops.all(valid, axis=-1))
        # An image that has no more stays where it is.
        highest = ops.max(ops.where(valid, tags, -1), axis=-1, keepdims=True, initial=-1)
        last = ops.maximum(last, highest)
        return more, part + 1, last, *sums

    last = ops.zeros_like(batch.num_positive, dtype="int32") - 1
    state = ops.while_loop(lambda more, *_: more, add, (ops.equal(part, 0), part, last, *sums))
    return Sums(*state[3:])


def _add(batch: Batch, sums: Sums, tags, valid, part, weigh, choose) -> Sums:
    """Add the positives in these columns; tags (batch, n) may repeat where they are not valid."""
    dtype = batch.scores.dtype
    scores = read_columns(batch.scores, tags)
    thresholds = ops.where(valid, scores - batch.margin, float("inf"))

    def violates(index):
        return batch.negative_scores > ops.take(thresholds, index, axis=1)[:, None]

    violators = count_by_column(violates, valid, dtype)
    positives = Positives(batch, tags, valid, scores, violators, part)
    weights = ops.where(violators > 0, weigh(positives), 0.0)
    place = None if choose is None else choose(positives)

    def add_slopes(index, slopes):
        hits = violates(index)
        if place is not None:
            order = ops.cumsum(ops.cast(hits, dtype), axis=-1)
            chosen = ops.equal(order, ops.take(place, index, axis=1)[:, None])
            hits = ops.logical_and(hits, chosen)
        return slopes + ops.where(hits, ops.take(weights, index, axis=1)[:, None], 0.0)

    slopes = _for_each_column(add_slopes, valid, sums.slopes)
    pulls = weights * (violators if choose is None else ops.minimum(violators, 1.0))
    # A column that is not valid writes what stands there, or what the first valid column of its
    # image writes, which may have the same tag.
    written = ops.where(valid, -pulls, read_columns(slopes, tags))
    first = ops.argmax(ops.cast(valid, "int32"), axis=-1, keepdims=True)
    tags = ops.where(valid, tags, read_columns(tags, first))
    written = ops.where(valid, written, read_columns(written, first))
    # A positive that nothing violates may have an infinite score.
    weighted = ops.where(pulls > 0, pulls * scores, 0.0)
    return Sums(
        write_columns(slopes, tags, written),
        sums.total + ops.sum(pulls, axis=-1, keepdims=True),
        sums.scores + ops.sum(weighted, axis=-1, keepdims=True),
    )


def count_by_column(mask, valid, dtype):
    """How many tags are true in mask(index), for each column: (batch, n), 0 where not valid.

    Args:
        mask: gets the index of a column, an int tensor (); returns booleans (batch, num_tags).
        valid: boolean (batch, n).
        dtype: of the result.
    """
    column = ops.arange(ops.shape(valid)[1], dtype="int32")

    def count(index, counts):
        counted = ops.sum(ops.cast(mask(index), dtype), axis=-1, keepdims=True)
        return ops.where(ops.equal(column, index), counted, counts)

    counts = _for_each_column(count, valid, ops.zeros_like(valid, dtype=dtype))
    return ops.where(valid, counts, 0.0)


def _for_each_column(step, valid, state):
    """state = step(index, state) for every column up to the last valid one of the batch."""
    column = ops.arange(ops.shape(valid)[1], dtype="int32")
    end = ops.max(ops.where(valid, column + 1, 0), initial=0)
    start = ops.zeros((), "int32")
    return ops.while_loop(
        lambda index, _: index < end,
        lambda index, state: (index + 1, step(index, state)),
        (start, state),
    )[1]
