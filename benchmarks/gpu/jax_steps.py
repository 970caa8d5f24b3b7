"""Training steps of the paper's network with JAX, and the share of WARP in a step."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from benchmarks.gpu.cases import NUM_TAGS, PRECISIONS, SOFTMAX_STEP, WARP_STEP, Speed
from benchmarks.gpu.jax_training import Training
from benchmarks.gpu.timing import Calls, rows_of, seconds_per_call
from benchmarks.measuring import ratio

LOSSES = {SOFTMAX_STEP: "softmax", WARP_STEP: "warp"}


def measure(speed: Speed) -> Iterator[dict[str, Any]]:
    """Yields rows per precision and batch: a step with softmax, one with WARP, and the share."""
    for precision in PRECISIONS:
        for batch in speed.batches:
            works = {
                name: functools.partial(steps, speed, batch, precision, loss)
                for name, loss in LOSSES.items()
            }
            taken, failures = seconds_per_call(works, speed.rounds, speed.step_seconds)
            fields = {"precision": precision, "batch": batch}
            yield from rows_of(taken, failures, stage="step", **fields)
            if not failures:
                yield {
                    **{"stage": "share", "what": "WARP minus softmax", **fields},
                    "milliseconds": 1000 * (taken[WARP_STEP] - taken[SOFTMAX_STEP]).median(),
                    "over": WARP_STEP,
                    "ratio": 1 - ratio(taken, SOFTMAX_STEP, WARP_STEP),
                }


def steps(speed: Speed, batch: int, precision: str, loss: str) -> Calls:
    """A function that trains on one batch in memory, with momentum."""
    training = Training(loss, NUM_TAGS, speed.crop_size, speed.architecture, precision)
    state = training.initial(seed=0)
    shape = (batch, speed.crop_size, speed.crop_size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    labels = np.zeros((batch, NUM_TAGS), np.float32)
    labels[:, [3, 40]] = 1
    inputs = jax.device_put((images, labels))

    def calls(num_calls: int) -> None:
        nonlocal state
        for _ in range(num_calls):
            state, loss = training.step(state, *inputs, 1e-4)
        jax.block_until_ready(loss)

    return calls
