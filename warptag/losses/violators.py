"""A weighted pairwise hinge over all positives and negatives, without a table of pairs.

With weights w_j that are constant to the gradient, the sum

    J = sum over positive j of w_j * sum over negative k with f_k > f_j - margin
        of (margin - f_j + f_k)

is linear in the scores between its kinks: J = margin * sum_j w_j V_j + sum_t g_t f_t, where V_j is
the number of negatives that violate positive j, g_j = -w_j V_j for a positive and g_k is the sum
of w_j over the positives that negative k violates. So V and g are all there is to compute, and
differentiating the linear form gives the gradient.

Two ways to V and g, with the same result:

- few positives an image (below the last of `LIMITS`): one pass over the scores for each, in a loop
  that ends with the last positive of the batch. O(num_tags * positives) time, O(num_tags) memory.
- any number of positives: one sort of thresholds and scores together. O(num_tags log num_tags).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from warptag.labels import Labels, write_columns
from warptag.losses.base import divide

# Numbers of columns for the positives: small arrays where they do, else more. Above the last the
# sort is cheaper (on TensorFlow; XLA sorts slowly on a CPU).
LIMITS = (16, 128)


class Positives(NamedTuple):
    """The positives of each image, one column each; constant to the gradient.

    Attributes:
        tags: int (batch, n), indices of tags.
        valid: boolean (batch, n), false in columns beyond the image's positives.
        scores: float (batch, n), f_j.
        violators: float (batch, n), V_j; 0 where not valid.
        num_positive: float (batch, 1).
        num_negative: float (batch, 1).
    """

    tags: Any
    valid: Any
    scores: Any
    violators: Any
    num_positive: Any
    num_negative: Any


def weighted_hinge(
    scores,
    labels: Labels,
    margin: float,
    weigh: Callable[[Positives, Any], Any],
    choose: Callable[[Any], Any] | None = None,
):
    """J of each image.

    Args:
        scores: float (batch, num_tags).
        labels: `Labels` of the batch.
        margin: float.
        weigh: gets `Positives` and the negatives' scores (batch, num_tags), -inf elsewhere;
            returns the weights w_j (batch, n).
        choose: None for the sum over every violator. Else gets V (batch, n) and returns which
            single violator of each positive to take, from 1 to V; any number where V is 0.

    Returns:
        float (batch,).
    """
    fixed = ops.stop_gradient(scores)
    num_tags = scores.shape[-1]
    negative_scores = ops.where(labels.negative, fixed, -float("inf"))

    # The image's loss will be NaN where this is; its gradient is 0.
    num_negative = ops.where(ops.isnan(labels.num_negative), 0.0, labels.num_negative)
    labels = labels._replace(num_negative=num_negative[:, None])

    def few(tags, valid):
        return _by_passes(fixed, negative_scores, labels, margin, tags, valid, weigh, choose)

    def by_limits(limits):
        """With as few columns as hold every positive; the last resort is the sort."""
        if not limits:
            return _by_sorting(fixed, negative_scores, labels, margin, weigh, choose)
        num_columns = min(limits[0], num_tags)
        marks, tags = ops.top_k(ops.cast(labels.positive, scores.dtype), num_columns)
        valid = marks > 0
        if num_columns == num_tags:
            return few(tags, valid)
        return ops.cond(
            # Where every column is taken there may be more. (Looking at the last one alone is a
            # slice of top_k, which makes XLA sort the whole row.)
            ops.any(ops.all(valid, axis=-1)),
            lambda: by_limits(limits[1:]),
            lambda: few(tags, valid),
        )

    if labels.tags is not None:
        valid = labels.tags >= 0
        slopes, total, center = few(ops.where(valid, labels.tags, 0), valid)
    else:
        slopes, total, center = by_limits(LIMITS)
    slopes, total, center = (ops.stop_gradient(part) for part in (slopes, total, center))
    # The slopes of an image add up to 0, so a shift changes nothing but the rounding; and
    # scores of -inf or inf in no pair stay out.
    terms = ops.where(ops.equal(slopes, 0), ops.zeros_like(scores), slopes * (scores - center))
    return margin * total + ops.sum(terms, axis=-1)


def _by_passes(fixed, negative_scores, labels, margin, tags, valid, weigh, choose):
    """Slopes (batch, num_tags), sum of w_j V_j (batch,) and a centre (batch, 1) of the scores."""
    dtype = fixed.dtype
    scores = ops.take_along_axis(fixed, tags, axis=1)
    thresholds = ops.where(valid, scores - margin, float("inf"))
    num_positive = ops.sum(ops.cast(valid, dtype), axis=-1, keepdims=True)
    # Columns beyond the last positive of the batch are not visited.
    column = ops.arange(tags.shape[1])
    end = ops.max(ops.where(valid, column + 1, 0))
    start = ops.zeros((), column.dtype)

    def violations(index):
        return ops.cast(negative_scores > ops.take(thresholds, index, axis=1)[:, None], dtype)

    def count_violators(index, violators):
        counted = ops.sum(violations(index), axis=-1)[:, None]
        return index + 1, ops.where(ops.equal(column, index), counted, violators)

    def more(index, _):
        return index < end

    state = (start, ops.zeros_like(thresholds))
    violators = ops.while_loop(more, count_violators, state)[1]
    positives = Positives(tags, valid, scores, violators, num_positive, labels.num_negative)
    weights = ops.where(violators > 0, weigh(positives, negative_scores), 0.0)
    if choose is not None:
        place = choose(violators)

    def add_slopes(index, slopes):
        hits = violations(index)
        if choose is not None:
            chosen = ops.equal(ops.cumsum(hits, axis=-1), ops.take(place, index, axis=1)[:, None])
            hits = ops.where(chosen, hits, 0.0)
        return index + 1, slopes + ops.take(weights, index, axis=1)[:, None] * hits

    slopes = ops.while_loop(more, add_slopes, (start, ops.zeros_like(fixed)))[1]
    pulls = weights * (violators if choose is None else ops.minimum(violators, 1.0))
    # Columns that are not valid write what stands there.
    written = ops.where(valid, -pulls, ops.take_along_axis(slopes, tags, axis=1))
    if labels.tags is not None:
        # Padding has no tag of its own: it repeats what the first valid column writes.
        first = ops.argmax(ops.cast(valid, "int32"), axis=-1, keepdims=True)
        tags = ops.where(valid, tags, ops.take_along_axis(tags, first, axis=1))
        written = ops.where(valid, written, ops.take_along_axis(written, first, axis=1))
    return write_columns(slopes, tags, written), *_total_and_center(pulls, scores)


def _by_sorting(fixed, negative_scores, labels, margin, weigh, choose):
    """The same as `_by_passes`, where every tag has a column."""
    num_tags, dtype = fixed.shape[-1], fixed.dtype
    tags = ops.broadcast_to(ops.arange(num_tags), ops.shape(fixed))
    thresholds = ops.where(labels.positive, fixed - margin, float("inf"))
    # Thresholds before scores, for the sort is stable and an equal score does not violate.
    both = ops.concatenate([thresholds, negative_scores], axis=-1)
    order = ops.argsort(0.0 - both, axis=-1)
    place = write_columns(
        order, order, ops.broadcast_to(ops.arange(2 * num_tags, dtype=order.dtype), ops.shape(both))
    )
    above = ops.cumsum(ops.cast(order >= num_tags, dtype), axis=-1)
    violators = ops.take_along_axis(above, place[:, :num_tags], axis=1)
    num_positive = ops.sum(ops.cast(labels.positive, dtype), axis=-1, keepdims=True)
    positives = Positives(
        tags, labels.positive, fixed, violators, num_positive, labels.num_negative
    )
    weights = ops.where(violators > 0, weigh(positives, negative_scores), 0.0)
    if choose is None:
        pulls = weights * violators
        # Negative k is violated by the positives that come after it.
        sorted_weights = ops.take_along_axis(
            ops.concatenate([weights, ops.zeros_like(weights)], axis=-1), order, axis=1
        )
        after = ops.flip(ops.cumsum(ops.flip(sorted_weights, axis=-1), axis=-1), axis=-1)
        pushes = ops.take_along_axis(after, place[:, num_tags:], axis=1)
    else:
        pulls = weights
        # The violators of a positive are the first of the sorted negatives.
        rank = ops.cast(ops.maximum(choose(violators), 1.0), "int32") - 1
        chosen = ops.take_along_axis(ops.argsort(0.0 - negative_scores, axis=-1), rank, axis=1)
        pushes = _add_columns(chosen, weights)
    slopes = ops.where(labels.negative, pushes, 0.0) - pulls
    return slopes, *_total_and_center(pulls, fixed)


def _add_columns(columns, values):
    """(batch, n) of zeros with values (batch, n) added at the columns of each row."""
    num_rows, num_columns = ops.shape(columns)[0], columns.shape[1]
    places = columns + num_columns * ops.arange(num_rows)[:, None]
    flat = ops.segment_sum(
        ops.reshape(values, (-1,)), ops.reshape(places, (-1,)), num_rows * num_columns
    )
    return ops.reshape(flat, (-1, num_columns))


def _total_and_center(pulls, scores):
    total = ops.sum(pulls, axis=-1)
    # A positive that nothing violates may have an infinite score.
    weighted = ops.where(pulls > 0, pulls * scores, ops.zeros_like(pulls))
    return total, divide(ops.sum(weighted, axis=-1), total)[:, None]
