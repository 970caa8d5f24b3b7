"""Loss and gradient with respect to the scores, with JAX (jitted) and PyTorch (eager)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import keras
import numpy as np

from benchmarks.gpu.cases import Speed
from benchmarks.gpu.timing import Calls, rows_of, seconds_per_call
from benchmarks.losses.cases import make_inputs
from benchmarks.measuring import ratio
from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking

SOFTMAX, LOOP = "softmax", "WARP, loop"
LOSSES: dict[str, Callable[[], keras.losses.Loss]] = {
    SOFTMAX: MultilabelSoftmax,
    "ranking": PairwiseRanking,
    "WARP, sampled": partial(WARP, seed=0),
    "WARP, expected": partial(WARP, rank="expected"),
    "WARP, exact": partial(WARP, rank="exact"),
    LOOP: partial(WARP, rank="loop", seed=0),
}


def measure(speed: Speed) -> Iterator[dict[str, Any]]:
    """Yields one row per loss, number of tags, batch and kind of scores."""
    calls_of = {"jax": jax_calls, "torch": torch_calls}[keras.backend.backend()]
    for num_tags in speed.num_tags:
        names = [name for name in LOSSES if name != LOOP or num_tags <= speed.max_loop]
        for batch in speed.batches:
            for scores in ("untrained", "trained"):
                arrays = make_inputs(num_tags, scores, "multi_hot", seed=0, batch=batch)
                works = {name: partial(calls_of, name, *arrays) for name in names}
                taken, failures = seconds_per_call(works, speed.rounds, speed.loss_seconds)
                fields = {"stage": "loss", "num_tags": num_tags, "batch": batch, "scores": scores}
                for row in rows_of(taken, failures, **fields):
                    if row["what"] in taken and SOFTMAX in taken:
                        row |= {"over": SOFTMAX, "ratio": ratio(taken, row["what"], SOFTMAX)}
                    yield row


@cache
def jitted(name: str) -> Callable:
    """The loss and its gradient, compiled once for each shape."""
    import jax

    loss = LOSSES[name]()
    return jax.jit(jax.value_and_grad(lambda scores, labels: loss(labels, scores)))


def jax_calls(name: str, labels: np.ndarray, scores: np.ndarray) -> Calls:
    import jax

    inputs = jax.device_put((scores, labels))

    def calls(num_calls: int) -> None:
        for _ in range(num_calls):
            result = jitted(name)(*inputs)
        jax.block_until_ready(result)

    return calls


def torch_calls(name: str, labels: np.ndarray, scores: np.ndarray) -> Calls:
    import torch

    loss = LOSSES[name]()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    y_true = torch.from_numpy(labels).to(device)
    y_pred = torch.from_numpy(scores).to(device).requires_grad_()

    def calls(num_calls: int) -> None:
        for _ in range(num_calls):
            y_pred.grad = None
            loss(y_true, y_pred).backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return calls
