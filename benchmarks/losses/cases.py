"""What is measured: engines, losses, numbers of tags and inputs.

Imports no backend, since each measuring process chooses its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Name of each engine -> the Keras backend that it runs on.
ENGINES = {
    "TensorFlow": "tensorflow",
    "TensorFlow, XLA": "tensorflow",
    "JAX, jit": "jax",
    "PyTorch": "torch",
}
BATCH = 32
POSITIVES = 5
#: From the paper's vocabulary to a large one.
SIZES = (81, 1_000, 5_000, 10_000, 100_000)
#: Where memory is measured; at smaller numbers most of it is tracing.
MEMORY_SIZES = (10_000, 100_000)
#: Trained scores put the positives this much higher, so that most have few violators or none.
TRAINED_GAP = 4.0

SOFTMAX = "MultilabelSoftmax"
RANKING = "PairwiseRanking"
WARP = "WARP"
EXPECTED = 'WARP(rank="expected")'
LOOP = 'WARP(rank="loop")'
IDS = 'WARP(labels="ids")'
KERAS_RS = "keras-rs PairwiseHingeLoss"
PLAIN = "plain PyTorch"


def _ours(name: str, **options: Any) -> Callable:
    import warptag.losses

    return getattr(warptag.losses, name)(**options)


def _keras_rs() -> Callable:
    import keras_rs

    return keras_rs.losses.PairwiseHingeLoss()


def _plain() -> Callable:
    """The paper's sum over pairs as users of PyTorch write it: one table per image."""
    import torch

    def loss(y_true, scores):
        losses = []
        for positive, row in zip(y_true == 1, scores, strict=True):
            table = 1 - row[positive][:, None] + row[~positive][None, :]
            losses.append(torch.relu(table).sum())
        return torch.stack(losses).mean()

    return loss


class Method(NamedTuple):
    """A loss under test.

    Attributes:
        build: makes the loss, once the backend is chosen; it takes labels and scores.
        sizes: the numbers of tags it is timed at.
        engines: the engines it runs on.
        scores: the kinds of scores it is timed with.
        growth: the power of the number of tags by which time and memory grow.
        labels: `multi_hot` or `ids`.
    """

    build: Callable[[], Callable]
    sizes: tuple[int, ...] = (81, 1_000, 10_000, 100_000)
    engines: tuple[str, ...] = tuple(ENGINES)
    scores: tuple[str, ...] = ("untrained",)
    growth: int = 1
    labels: str = "multi_hot"


METHODS = {
    SOFTMAX: Method(lambda: _ours("MultilabelSoftmax")),
    RANKING: Method(lambda: _ours("PairwiseRanking"), sizes=SIZES),
    WARP: Method(lambda: _ours("WARP"), scores=("untrained", "trained")),
    IDS: Method(lambda: _ours("WARP", labels="ids"), sizes=(100_000,), labels="ids"),
    EXPECTED: Method(lambda: _ours("WARP", rank="expected")),
    # At 100,000 tags a positive without violators takes 99,999 draws: minutes per call.
    LOOP: Method(
        lambda: _ours("WARP", rank="loop"),
        sizes=(81, 1_000, 10_000),
        scores=("untrained", "trained"),
    ),
    KERAS_RS: Method(_keras_rs, sizes=SIZES, engines=("TensorFlow", "JAX, jit"), growth=2),
    PLAIN: Method(_plain, engines=("PyTorch",)),
}


def methods_at(engine: str, num_tags: int) -> list[str]:
    """The losses that are timed on an engine at a number of tags."""
    if num_tags == 5_000 and engine != "TensorFlow":
        return []  # It is there for the table of pairs, which does not fit at 10,000.
    return [
        name
        for name, method in METHODS.items()
        if engine in method.engines and num_tags in method.sizes
    ]


def measures_memory(engine: str, name: str, num_tags: int) -> bool:
    """Whether memory is measured too: of the loop on one engine, of the expectation on none."""
    if name == KERAS_RS:
        return num_tags >= 1_000
    one_of_each = name != EXPECTED and (name != LOOP or engine == "TensorFlow")
    return one_of_each and num_tags in MEMORY_SIZES


def make_inputs(
    num_tags: int, scores: str, labels: str, seed: int, batch: int = BATCH
) -> tuple[np.ndarray, ...]:
    """The labels and scores of one batch, with `POSITIVES` positives per image."""
    generator = np.random.default_rng(seed)
    tags = np.stack(
        [generator.choice(num_tags, POSITIVES, replace=False) for _ in range(batch)]
    ).astype("int32")
    values = generator.standard_normal((batch, num_tags), dtype="float32")
    rows = np.arange(batch)[:, None]
    if scores == "trained":
        values[rows, tags] += TRAINED_GAP
    if labels == "ids":
        # Padded as in a data set with at most 8 tags per image.
        return np.pad(tags, ((0, 0), (0, 3)), constant_values=-1), values
    multi_hot = np.zeros_like(values)
    multi_hot[rows, tags] = 1
    return multi_hot, values
