"""A weighted pairwise hinge loss over all positives and negatives, without a table of pairs.

With weights w_j that are constants for the gradient, the sum

    J = sum over positives j of w_j * sum over negatives k with f_k > f_j - margin
        of (margin - f_j + f_k)

is linear in the scores between its kinks: J = margin * sum_j w_j V_j + sum_t g_t f_t, where V_j is
the number of negatives that violate the margin of positive j, g_j = -w_j V_j for a positive, and
g_k is the sum of w_j over the positives whose margin negative k violates. V and g therefore give
the loss, and g is its gradient.

V and g take one pass over the scores per positive, in a loop that ends with the last positive of
the batch: O(num_tags * positives) time and O(num_tags) memory per image. Since the shapes of a
compiled graph cannot depend on the labels, positives are processed in chunks of NUM_COLUMNS. The
pairs of a chunk are compared in one table where that is small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from warptag.keras_api import ops
from warptag.keras_api.backend import while_loop
from warptag.labels import Labels, add_by_column, read_columns
from warptag.losses.base import divide

NUM_COLUMNS = 16

# The most comparisons of positives with tags that are made at once. On a CPU, larger tables take
# longer than a loop, which ends with the last positive of the batch.
MAX_COMPARISONS = 2**16
# The batch size that is assumed where the graph does not know it.
USUAL_BATCH = 32

# The largest finite float32.
LARGEST = 3.4028234e38


class Batch(NamedTuple):
    """What the positives are compared with; constant for the gradient."""

    scores: Any  # float (batch, num_tags)
    positive: Any  # boolean (batch, num_tags)
    negative_scores: Any  # float (batch, num_tags), -inf for tags that are not negative
    num_positive: Any  # float (batch, 1)
    num_negative: Any  # float (batch, 1)
    margin: float


class Positives(NamedTuple):
    """A chunk of the positives, one per column; constant for the gradient."""

    batch: Batch
    tags: Any  # int (batch, n), indices of the tags
    valid: Any  # boolean (batch, n), false in columns without a positive
    scores: Any  # float (batch, n), f_j
    violators: Any  # float (batch, n), V_j; 0 where not valid
    chunk: Any  # int tensor (), index of this chunk of positives


class Sums(NamedTuple):
    """Sums over the positives so far."""

    slopes: Any  # float (batch, num_tags), g
    total: Any  # float (batch, 1), sum of w_j V_j
    scores: Any  # float (batch, 1), sum of w_j V_j f_j


PerPositive = Callable[[Positives], Any]


def weighted_hinge(
    scores, labels: Labels, margin: float, weigh: PerPositive, choose: PerPositive | None = None
):
    """The loss J of each image.

    Args:
        scores: float (batch, num_tags).
        labels: the `Labels` of the batch.
        margin: the margin.
        weigh: function from `Positives` to their weights w_j, float (batch, n).
        choose: None for the sum over all violators, or a function from `Positives` to the
            number of the single violator to take, from 1 to V_j: float (batch, n).

    Returns:
        float (batch,).
    """
    fixed = ops.stop_gradient(scores)
    # NaN marks images with invalid labels; their gradient is 0.
    num_negative = ops.where(ops.isnan(labels.num_negative), 0.0, labels.num_negative)[:, None]
    batch = Batch(
        fixed,
        labels.positive,
        ops.where(labels.negative, fixed, -float("inf")),
        labels.num_positive[:, None],
        num_negative,
        margin,
    )
    zeros = ops.zeros_like(num_negative)
    sums = Sums(ops.zeros_like(fixed), zeros, zeros)
    num_tags = scores.shape[-1]
    chunk = ops.zeros((), "int32")
    if labels.tags is not None:
        valid = labels.tags >= 0
        sums = _add(batch, sums, ops.where(valid, labels.tags, 0), valid, chunk, weigh, choose)
    elif num_tags <= NUM_COLUMNS or scores.shape[0] == 0:
        # Without images there are no chunks; Keras on PyTorch has no minimum of an empty array.
        tags = ops.broadcast_to(ops.arange(num_tags, dtype="int32"), ops.shape(scores))
        sums = _add(batch, sums, tags, labels.positive, chunk, weigh, choose)
    else:
        sums = _add_in_chunks(batch, sums, chunk, weigh, choose)
    slopes, total, weighted = (ops.stop_gradient(value) for value in sums)
    # The slopes of an image add up to 0, so the shift only reduces rounding errors. Infinite
    # scores of tags without a violated pair are left out.
    centred = ops.where(ops.equal(slopes, 0), 0.0, scores - divide(weighted, total))
    return margin * total[:, 0] + ops.sum(slopes * centred, axis=-1)


def _add_in_chunks(batch: Batch, sums: Sums, chunk, weigh, choose) -> Sums:
    """Add all positives, NUM_COLUMNS per image at a time, in the order of their tags."""
    num_tags = batch.scores.shape[-1]
    # Decreasing, because the order of PyTorch's top_k is undefined for equal values.
    places = ops.cast(num_tags - ops.arange(num_tags, dtype="int32"), batch.scores.dtype)

    def add(more, chunk, end, *sums):
        left = ops.where(ops.logical_and(batch.positive, places < end), places, 0.0)
        left, tags = ops.top_k(left, NUM_COLUMNS)
        sums = _add(batch, Sums(*sums), ops.cast(tags, "int32"), left > 0, chunk, weigh, choose)
        # Slicing the last column of top_k would make XLA sort the whole row.
        end = ops.min(left, axis=-1, keepdims=True)
        # There may be more where every column is filled.
        return ops.any(end > 0), chunk + 1, end, *sums

    end = ops.zeros_like(batch.num_positive) + (num_tags + 1)
    # The first chunk is the only one of most batches, and faster outside of the loop.
    first = add(True, chunk, end, *sums)
    state = while_loop(lambda more, *_: more, add, first)
    return Sums(*state[3:])


def _add(batch: Batch, sums: Sums, tags, valid, chunk, weigh, choose) -> Sums:
    """Add a chunk of positives; tags (batch, n) may repeat where they are not valid."""
    num_tags = batch.scores.shape[-1]
    scores = read_columns(batch.scores, tags)
    thresholds = ops.where(valid, margin_below(batch, scores), float("inf"))
    negative_scores = batch.negative_scores[:, None, :]
    violators = count_tags(
        lambda threshold: negative_scores > threshold, valid, num_tags, thresholds
    )
    positives = Positives(batch, tags, valid, scores, violators, chunk)
    weights = ops.where(violators > 0, weigh(positives), 0.0)
    pulls = weights * (violators if choose is None else ops.minimum(violators, 1.0))
    columns = (thresholds, weights) if choose is None else (thresholds, weights, choose(positives))

    def add_slopes(slopes, index, threshold, weight, number=None):
        hits = negative_scores > threshold
        if number is not None:
            order = ops.cumsum(ops.cast(hits, slopes.dtype), axis=-1)
            hits = ops.logical_and(hits, ops.equal(order, number))
        return slopes + ops.sum(ops.where(hits, weight, 0.0), axis=1)

    # The pull is 0 in columns that are not valid.
    slopes = sums.slopes - add_by_column(pulls, tags, batch.scores)
    # A positive without violators may have an infinite score.
    weighted = ops.where(pulls > 0, pulls * scores, 0.0)
    return Sums(
        _for_columns(add_slopes, valid, columns, num_tags, slopes),
        sums.total + ops.sum(pulls, axis=-1, keepdims=True),
        sums.scores + ops.sum(weighted, axis=-1, keepdims=True),
    )


def margin_below(batch: Batch, scores):
    """The score above which a negative violates the margin of a positive with this score.

    Finite, so that a negative at infinity violates every margin: a model whose scores are all
    infinite must not have the loss 0.
    """
    return ops.minimum(scores - batch.margin, LARGEST)


def count_tags(mask, valid, num_tags: int, *columns):
    """The number of true tags per column: float (batch, n), without meaning where not valid.

    Args:
        mask: function from values of `columns`, each (batch, m, 1), to booleans
            (batch, m, num_tags).
        valid: boolean (batch, n).
        *columns: one or more (batch, n); the first is float and gives the dtype of the result.
    """
    place = ops.arange(ops.shape(valid)[1], dtype="int32")

    def count(counts, index, *values):
        counted = ops.sum(ops.cast(mask(*values), counts.dtype), axis=-1)
        return ops.where(ops.equal(place, index), counted, counts)

    return _for_columns(count, valid, columns, num_tags, ops.zeros_like(columns[0]))


def _for_columns(step, valid, columns, num_tags, state):
    """Apply state = step(state, index, *values of the columns) to all columns (batch, n).

    Where the table of pairs is small, one step takes all columns, with values (batch, n, 1).
    Otherwise each step takes one, with values (batch, 1, 1), up to the last valid one of the batch.
    """
    place = ops.arange(ops.shape(valid)[1], dtype="int32")
    num_images, num_columns = valid.shape
    if (num_images or USUAL_BATCH) * (num_columns or NUM_COLUMNS) * num_tags <= MAX_COMPARISONS:
        return step(state, place, *(column[:, :, None] for column in columns))
    end = ops.max(ops.where(valid, place + 1, 0), initial=0)

    def add(index, state):
        values = (ops.take(column, index, axis=1)[:, None, None] for column in columns)
        return index + 1, step(state, index, *values)

    start = (ops.zeros((), "int32"), state)
    return while_loop(lambda index, _: index < end, add, start)[1]
