"""WARP's weights L(r_j), with the rank r_j counted or estimated by sampling.

The sampling loop draws negatives with replacement, at most c - 1 times, until one violates the
margin of positive j. If V of N negatives violate it, each draw succeeds with p = V / N, so the
number of draws s is geometric with p, cut off at c - 1; r_j = floor((c - 1) / s), and the weight
is 0 if no violator was found. c is the number of known tags.

All inputs and outputs are constants for the gradient, with one column of (batch, n) per positive.
"""

from __future__ import annotations

import math

import numpy as np

from warptag.keras_api import ops
from warptag.keras_api.backend import while_loop
from warptag.labels import read_columns
from warptag.losses.seeds import uniform
from warptag.losses.violators import Positives, margin_below


def harmonic_numbers(num_tags: int, dtype):
    """L(0) .. L(num_tags): L(r) = 1 + 1/2 + ... + 1/r (Gong et al. 2013, section 3.3)."""
    sums = np.cumsum(np.concatenate([[0.0], 1.0 / np.arange(1, num_tags + 1)]))
    return ops.convert_to_tensor(sums, dtype=dtype)


def weights_of_draws(draws, max_draws, table):
    """L(floor((c - 1) / s)) for s draws; 0 where s is above c - 1 (none found).

    Args:
        draws: int (batch, n), s, at least 1.
        max_draws: int (batch, 1), c - 1.
        table: `harmonic_numbers`.
    """
    return ops.take(table, max_draws // draws, axis=0)


def loop_draws(positives: Positives, max_draws, key):
    """The number of draws of the paper's sampling loop: int (batch, n); c if none is found."""
    batch = positives.batch
    thresholds = margin_below(batch, positives.scores)
    # Negatives first, so that a draw is an index below num_negative.
    order = ops.argsort(ops.cast(ops.equal(batch.negative_scores, -float("inf")), "int32"), axis=-1)
    negatives = read_columns(batch.negative_scores, order)
    last = ops.cast(batch.num_negative, "int32") - 1

    def unfinished(step, draws, searching):
        return ops.any(searching)

    def draw(step, draws, searching):
        numbers = uniform(thresholds, key, "rank", positives.chunk, step)
        index = ops.cast(numbers * batch.num_negative, "int32")
        index = ops.clip(index, 0, ops.maximum(last, 0))
        drawn = read_columns(negatives, index)
        violates = ops.logical_and(searching, drawn > thresholds)
        draws = ops.where(violates, step, draws)
        searching = ops.logical_and(searching, ops.logical_not(violates))
        return step + 1, draws, ops.logical_and(searching, step < max_draws)

    searching = ops.logical_and(positives.valid, last >= 0)
    none_found = ops.broadcast_to(max_draws + 1, ops.shape(thresholds))
    start = (ops.ones((), "int32"), none_found, searching)
    return while_loop(unfinished, draw, start)[1]


def geometric_draws(positives: Positives, key):
    """The distribution of `loop_draws` without a loop, from one uniform number per positive.

    Where no negative violates the margin, the result has no meaning.
    """
    share = ops.maximum(violating_share(positives), 1e-7)
    numbers = uniform(share, key, "rank", positives.chunk)
    # P(s > t) = (1 - p)^t, so s = 1 + floor(log(1 - u) / log(1 - p)), with u below 1. For p = 1
    # the denominator is -inf and s is 1.
    draws = 1 + ops.floor(ops.log1p(-numbers) / ops.log1p(-share))
    return ops.cast(ops.minimum(draws, 2.0**30), "int32")


def expected_weights(positives: Positives, max_draws, num_tags: int, table):
    """Mean of L(floor((c - 1) / s)) over the loop's distribution of s; deterministic.

    Summed by parts it is the sum over r of P(s <= m_r) / r with m_r = floor((c - 1) / r). For
    large r, m_r takes few values, so all r with one value are added at once: about 2 sqrt(c)
    terms instead of c.
    """
    share = violating_share(positives)
    # log(1 - p) without the cancellation of 1 - p; -inf where every negative violates.
    log_miss = ops.log1p(-share)[:, :, None]

    def within(draws):
        """P(s <= draws); draws (batch, m) -> (batch, n, m)."""
        draws = draws[:, None, :]
        exponent = ops.where(draws > 0, ops.cast(draws, share.dtype) * log_miss, 0.0)
        return -ops.expm1(exponent)

    split = min(math.isqrt(num_tags) + 1, num_tags)
    ranks = ops.arange(1, split + 1, dtype="int32")[None, :]
    singly = within(max_draws // ranks) / ops.cast(ranks, share.dtype)[:, None, :]
    # Ranks above the split, by their number of draws, which is below num_tags / split.
    draws = ops.arange(1, num_tags // split + 2, dtype="int32")[None, :]
    highest = ops.maximum(max_draws // draws, split)
    lowest = ops.maximum(max_draws // (draws + 1), split)
    inverses = (ops.take(table, highest, axis=0) - ops.take(table, lowest, axis=0))[:, None, :]
    draws = ops.broadcast_to(draws, ops.shape(highest))
    return ops.sum(singly, axis=-1) + ops.sum(within(draws) * inverses, axis=-1)


def violating_share(positives: Positives):
    """p = V / N of each positive: float (batch, n); 0 where N is 0."""
    return ops.minimum(positives.violators / ops.maximum(positives.batch.num_negative, 1.0), 1.0)
