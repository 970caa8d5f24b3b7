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
compiled graph cannot depend on the labels, positives are processed in chunks of NUM_COLUMNS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from warptag.keras_api import ops
from warptag.labels import Labels, read_columns, write_columns
from warptag.losses.base import divide

NUM_COLUMNS = 16

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
    sums = Sums(ops.where(labels.negative, 0.0 * num_negative, 0.0), zeros, zeros)
    num_tags = scores.shape[-1]
    chunk = ops.zeros((), "int32")
    if labels.tags is not None:
        valid = labels.tags >= 0
        sums = _add(batch, sums, ops.where(valid, labels.tags, 0), valid, chunk, weigh, choose)
    elif num_tags <= NUM_COLUMNS:
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
    places = ops.arange(num_tags, dtype="int32")

    def add(more, chunk, last, *sums):
        # Decreasing, because the order of PyTorch's top_k is undefined for equal values.
        left = ops.where(ops.logical_and(batch.positive, places > last), num_tags - places, 0)
        left, tags = ops.top_k(ops.cast(left, batch.scores.dtype), NUM_COLUMNS)
        tags, valid = ops.cast(tags, "int32"), left > 0
        sums = _add(batch, Sums(*sums), tags, valid, chunk, weigh, choose)
        # There may be more where every column is filled. (Slicing the last column of top_k would
        # make XLA sort the whole row.)
        more = ops.any(ops.all(valid, axis=-1))
        highest = ops.max(ops.where(valid, tags, -1), axis=-1, keepdims=True, initial=-1)
        return more, chunk + 1, ops.maximum(last, highest), *sums

    last = ops.zeros_like(batch.num_positive, dtype="int32") - 1
    state = ops.while_loop(lambda more, *_: more, add, (ops.equal(chunk, 0), chunk, last, *sums))
    return Sums(*state[3:])


def _add(batch: Batch, sums: Sums, tags, valid, chunk, weigh, choose) -> Sums:
    """Add a chunk of positives; tags (batch, n) may repeat where they are not valid."""
    dtype = batch.scores.dtype
    scores = read_columns(batch.scores, tags)
    thresholds = ops.where(valid, margin_below(batch, scores), float("inf"))

    def violates(index):
        return batch.negative_scores > ops.take(thresholds, index, axis=1)[:, None]

    violators = count_by_column(violates, valid, dtype)
    positives = Positives(batch, tags, valid, scores, violators, chunk)
    weights = ops.where(violators > 0, weigh(positives), 0.0)
    number = None if choose is None else choose(positives)

    def add_slopes(index, slopes):
        hits = violates(index)
        if number is not None:
            order = ops.cumsum(ops.cast(hits, dtype), axis=-1)
            chosen = ops.equal(order, ops.take(number, index, axis=1)[:, None])
            hits = ops.logical_and(hits, chosen)
        return slopes + ops.where(hits, ops.take(weights, index, axis=1)[:, None], 0.0)

    slopes = _for_each_column(add_slopes, valid, sums.slopes)
    pulls = weights * (violators if choose is None else ops.minimum(violators, 1.0))
    # Columns that are not valid rewrite the present value, or repeat the update of the image's
    # first valid column, whose tag they may have.
    updates = ops.where(valid, -pulls, read_columns(slopes, tags))
    first = ops.argmax(ops.cast(valid, "int32"), axis=-1, keepdims=True)
    tags = ops.where(valid, tags, read_columns(tags, first))
    updates = ops.where(valid, updates, read_columns(updates, first))
    # A positive without violators may have an infinite score.
    weighted = ops.where(pulls > 0, pulls * scores, 0.0)
    return Sums(
        write_columns(slopes, tags, updates),
        sums.total + ops.sum(pulls, axis=-1, keepdims=True),
        sums.scores + ops.sum(weighted, axis=-1, keepdims=True),
    )


def margin_below(batch: Batch, scores):
    """The score above which a negative violates the margin of a positive with this score.

    Finite, so that a negative at infinity violates every margin: a model whose scores are all
    infinite must not have the loss 0.
    """
    return ops.minimum(scores - batch.margin, LARGEST)


def count_by_column(mask, valid, dtype):
    """The number of true tags in mask(index) for each column: (batch, n), 0 where not valid.

    Args:
        mask: function from the index of a column, an int tensor (), to booleans (batch, num_tags).
        valid: boolean (batch, n).
        dtype: dtype of the result.
    """
    column = ops.arange(ops.shape(valid)[1], dtype="int32")

    def count(index, counts):
        counted = ops.sum(ops.cast(mask(index), dtype), axis=-1, keepdims=True)
        return ops.where(ops.equal(column, index), counted, counts)

    counts = _for_each_column(count, valid, ops.zeros_like(valid, dtype=dtype))
    return ops.where(valid, counts, 0.0)


def _for_each_column(step, valid, state):
    """Apply state = step(index, state) to every column up to the last valid one of the batch."""
    column = ops.arange(ops.shape(valid)[1], dtype="int32")
    end = ops.max(ops.where(valid, column + 1, 0), initial=0)
    return ops.while_loop(
        lambda index, _: index < end,
        lambda index, state: (index + 1, step(index, state)),
        (ops.zeros((), "int32"), state),
    )[1]
