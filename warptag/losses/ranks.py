"""WARP's weights L(r_j), with the rank r_j counted or estimated by sampling.

The loop draws negatives with replacement, at most c - 1 times, until one violates the margin of
positive j. With V of N negatives violating, each draw hits with p = V / N independently, so the
number of draws s is geometric with p, cut off at c - 1; r_j = floor((c - 1) / s), and a positive
for which no violator was found has weight 0. c is the number of tags whose label is known.

Every function takes scores that are constant to the gradient and returns (batch, num_tags).
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


def harmonic_numbers(num_tags: int, dtype) -> object:
    """L(0) .. L(num_tags): L(r) = 1 + 1/2 + ... + 1/r (Gong et al. 2013, section 3.3)."""
    sums = np.cumsum(np.concatenate([[0.0], 1.0 / np.arange(1, num_tags + 1)]))
    return ops.convert_to_tensor(sums, dtype=dtype)


def weights_of_draws(draws, num_known, table):
    """L(floor((c - 1) / s)) for s draws; 0 where s is 0 (none found) or above c - 1."""
    most = num_known[:, None] - 1
    found = ops.logical_and(draws > 0, draws <= most)
    rank = ops.where(found, most // ops.maximum(draws, 1), 0)
    return ops.take(table, rank, axis=0)


def loop_draws(scores, positive, negative, margin, seed):
    """Number of draws until a violator, by the paper's sampling loop in the graph; 0: none found.

    Args:
        scores: float (batch, num_tags).
        positive, negative: boolean (batch, num_tags).
        margin: float.
        seed: `keras.random.SeedGenerator`.
    """
    num_negatives = ops.sum(ops.cast(negative, "int32"), axis=-1, keepdims=True)
    most = num_negatives + ops.sum(ops.cast(positive, "int32"), axis=-1, keepdims=True) - 1
    # Negatives first, so that a draw is an index below num_negatives.
    order = ops.argsort(ops.cast(ops.logical_not(negative), "int32"), axis=-1)
    negative_scores = ops.take_along_axis(scores, order, axis=-1)
    base = keras.random.randint((2,), 0, 2**31 - 1, seed=seed)
    searching = ops.logical_and(positive, num_negatives > 0)

    def unfinished(step, draws, searching):
        return ops.any(searching)

    def draw(step, draws, searching):
        step_seed = _StepSeed(base, step, seed.state.dtype)
        uniform = keras.random.uniform(ops.shape(scores), dtype=scores.dtype, seed=step_seed)
        index = ops.cast(uniform * ops.cast(num_negatives, scores.dtype), "int32")
        index = ops.clip(index, 0, ops.maximum(num_negatives - 1, 0))
        drawn = ops.take_along_axis(negative_scores, index, axis=-1)
        violates = ops.logical_and(searching, margin - scores + drawn > 0)
        draws = ops.where(violates, step, draws)
        searching = ops.logical_and(searching, ops.logical_not(violates))
        return step + 1, draws, ops.logical_and(searching, step < most)

    start = (ops.ones((), "int32"), ops.zeros_like(scores, dtype="int32"), searching)
    return ops.while_loop(unfinished, draw, start)[1]


def geometric_draws(violators, num_negatives, seed):
    """The distribution of `loop_draws` without a loop, from one uniform number a positive.

    Args:
        violators: float (batch, num_tags), V of each positive.
        num_negatives: float (batch,).
        seed: `keras.random.SeedGenerator`.
    """
    share = violators / ops.maximum(num_negatives, 1)[:, None]
    uniform = keras.random.uniform(ops.shape(violators), dtype=violators.dtype, seed=seed)
    # P(s > t) = (1 - p)^t, so s = 1 + floor(log(1 - u) / log(1 - p)), with u below 1.
    inside = ops.clip(share, 1e-7, 1 - 1e-7)
    draws = 1 + ops.floor(ops.log1p(-uniform) / ops.log1p(-inside))
    draws = ops.where(share >= 1, ops.ones_like(draws), draws)
    return ops.cast(ops.where(share > 0, ops.minimum(draws, 2.0**30), 0.0), "int32")


def expected_weights(violators, num_negatives, num_known, table):
    """Mean of L(floor((c - 1) / s)) over the loop's distribution of s; deterministic."""
    share = (violators / ops.maximum(num_negatives, 1)[:, None])[:, :, None]
    draws = ops.arange(1, violators.shape[-1] + 1, dtype="int32")
    weights = weights_of_draws(draws[None, :], num_known, table)[:, None, :]
    probability = share * (1 - share) ** ops.cast(draws - 1, share.dtype)
    return ops.sum(weights * probability, axis=-1)


class _StepSeed(keras.random.SeedGenerator):
    """A seed for one step of the loop.

    A SeedGenerator's own state must not be assigned inside a loop (JAX forbids it), so the seed
    is drawn once before the loop and the step number is added to it.
    """

    def __init__(self, base, step, dtype):
        self._seed = ops.cast(ops.stack([base[0], base[1] + step]), dtype)

    def next(self, ordered=True):
        return self._seed
