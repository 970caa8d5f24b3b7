"""One measurement, in a process of its own, since Keras's backend is fixed at import."""

from __future__ import annotations

import ctypes
import gc
import itertools
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.losses.cases import METHODS, make_inputs
from benchmarks.measuring import peak_megabytes, resident_megabytes, seconds_of

#: Different batches in turn, so that the time is not that of one draw and one branch.
NUM_INPUTS = 3
#: If the first call takes longer than this, there is no second one for warming up.
MAX_WARM_UP_SECONDS = 5.0
#: A parameter of glibc's mallopt: the bytes from which an array has memory of its own.
M_MMAP_THRESHOLD = -3


def loss_and_gradient(engine: str, loss: Callable) -> tuple[Callable, Callable]:
    """Two functions: one from an array to the engine's tensor, and one that computes the loss and
    its gradient with respect to the scores and returns when both are there."""
    if engine == "JAX, jit":
        import jax

        step = jax.jit(jax.value_and_grad(lambda scores, y_true: loss(y_true, scores)))
        return jax.numpy.asarray, lambda y_true, scores: jax.block_until_ready(step(scores, y_true))
    if engine == "PyTorch":
        import torch

        def run(y_true, scores):
            scores = scores.detach().requires_grad_()
            loss(y_true, scores).backward()
            return scores.grad

        return torch.from_numpy, run

    import tensorflow as tf

    @tf.function(jit_compile=engine == "TensorFlow, XLA")
    def function(y_true, scores):
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = loss(y_true, scores)
        return value, tape.gradient(value, scores)

    return tf.constant, lambda y_true, scores: function(y_true, scores)[0].numpy()


def time_losses(
    engine: str,
    num_tags: int,
    cases: list[tuple[str, str]],
    rounds: int,
    block_seconds: float,
    max_seconds: float,
) -> list[dict[str, float]]:
    """The median milliseconds and the number of calls of each (loss, scores).

    The cases take turns in short blocks, so that a busy moment of the machine slows all alike.
    A case that has taken `max_seconds` is not called again.
    """
    steps = {name: loss_and_gradient(engine, METHODS[name].build()) for name, _ in cases}
    calls = []
    for name, scores in cases:
        convert, run = steps[name]
        arrays = (
            make_inputs(num_tags, scores, METHODS[name].labels, seed) for seed in range(NUM_INPUTS)
        )
        inputs = itertools.cycle([tuple(map(convert, pair)) for pair in arrays])

        def call(run=run, inputs=inputs) -> float:
            return seconds_of(partial(run, *next(inputs)))

        calls.append(call)
        if call() < MAX_WARM_UP_SECONDS:
            call()
    times: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        for call, taken in zip(calls, times, strict=True):
            if sum(taken) > max_seconds:
                continue
            end = time.perf_counter() + block_seconds
            taken.append(call())
            while time.perf_counter() < end:
                taken.append(call())
    return [
        {"milliseconds": 1000 * statistics.median(taken), "calls": len(taken)} for taken in times
    ]


def peak_memory(engine: str, num_tags: int, name: str) -> float:
    """The megabytes of resident memory that the first call at a size adds at its peak.

    Tracing, compiling and the gradient are included; libraries and thread pools are not, since a
    call with 81 tags comes before.
    """
    convert, run = loss_and_gradient(engine, METHODS[name].build())
    small, large = (
        tuple(map(convert, make_inputs(size, "untrained", METHODS[name].labels, seed=0)))
        for size in (81, num_tags)
    )
    run(*small)
    gc.collect()
    libc = ctypes.CDLL(None)
    # Return freed arrays to the system at once. By default, glibc keeps some, and how many differs
    # from run to run.
    libc.mallopt(M_MMAP_THRESHOLD, 2**20)
    libc.malloc_trim(0)
    before = resident_megabytes()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    run(*large)
    return peak_megabytes() - before
