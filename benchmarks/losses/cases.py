"""What is measured: engines, losses, numbers of tags and inputs.

Imports no backend, for the process that starts the measurements must not fix one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Name of each engine and the Keras backend it runs on.
ENGINES = {
    "TensorFlow": "tensorflow",
    "TensorFlow, XLA": "tensorflow",
    "JAX, jit": "jax",
    "PyTorch": "torch",
}
BATCH = 32
POSITIVES = 5
#: The paper's vocabulary, up to those of tagging with a large one.
SIZES = (81, 1_000, 5_000, 10_000, 100_000)
#: Where memory is measured; at the smaller one tracing is most of it.
MEMORY_SIZES = (10_000, 100_000)
#: Trained scores put the positives this much higher: most have few or no violators left.
TRAINED_GAP = 4.0

SOFTMAX = "MultilabelSoftmax"
RANKING = "PairwiseRanking"
WARP = "WARP"
EXPECTED = 'WARP(rank="expected")'
LOOP = 'WARP(rank="loop")'
IDS = 'WARP(labels="ids")'
KERAS_RS = "keras-rs PairwiseHingeLoss"
PLAIN = "plain PyTorch"


def _own(name: str, **options: Any) -> Callable[[], Callable]:
    def build() -> Callable:
        import warptag.losses

        return getattr(warptag.losses, name)(**options)

    return build


def _keras_rs() -> Callable:
    import keras_rs

    return keras_rs.losses.PairwiseHingeLoss()


def _plain() -> Callable:
    """The paper's sum over pairs as an ordinary PyTorch user writes it: a table an image."""
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
        build: makes it, once the backend is chosen; it takes labels and scores.
        sizes: the numbers of tags it is timed at.
        engines: where it runs.
        scores: the kinds of scores it is timed with.
        growth: time and memory grow with the number of tags to this power.
        labels: `multi_hot` or `ids`.
    """

    build: Callable[[], Callable]
    sizes: tuple[int, ...] = (81, 1_000, 10_000, 100_000)
    engines: tuple[str, ...] = tuple(ENGINES)
    scores: tuple[str, ...] = ("untrained",)
    growth: int = 1
    labels: str = "multi_hot"


METHODS = {
    SOFTMAX: Method(_own("MultilabelSoftmax")),
    RANKING: Method(_own("PairwiseRanking"), sizes=SIZES),
    WARP: Method(_own("WARP"), scores=("untrained", "trained")),
    IDS: Method(_own("WARP", labels="ids"), sizes=(100_000,), labels="ids"),
    EXPECTED: Method(_own("WARP", rank="expected")),
    # At 100,000 tags a positive without violators takes 99,999 draws: minutes a call.
    LOOP: Method(
        _own("WARP", rank="loop"), sizes=(81, 1_000, 10_000), scores=("untrained", "trained")
    ),
    KERAS_RS: Method(_keras_rs, sizes=SIZES, engines=("TensorFlow", "JAX, jit"), growth=2),
    PLAIN: Method(_plain, engines=("PyTorch",)),
}


def methods_at(engine: str, num_tags: int) -> list[str]:
    """The losses that are timed on an engine at a number of tags."""
    if num_tags == 5_000 and engine != "TensorFlow":
        return []  # There for the table of pairs, which ends before 10,000.
    return [
        name
        for name, method in METHODS.items()
        if engine in method.engines and num_tags in method.sizes
    ]


def measures_memory(engine: str, name: str, num_tags: int) -> bool:
    """Whether memory is measured too: of the loop once, of the expectation nowhere."""
    if name == KERAS_RS:
        return num_tags >= 1_000
    one_of_each = name != EXPECTED and (name != LOOP or engine == "TensorFlow")
    return one_of_each and num_tags in MEMORY_SIZES


def make_inputs(num_tags: int, scores: str, labels: str, seed: int) -> tuple[np.ndarray, ...]:
    """Labels and scores of one batch, `POSITIVES` positives an image."""
    generator = np.random.default_rng(seed)
    tags = np.stack(
        [generator.choice(num_tags, POSITIVES, replace=False) for _ in range(BATCH)]
    ).astype("int32")
    values = generator.standard_normal((BATCH, num_tags), dtype="float32")
    rows = np.arange(BATCH)[:, None]
    if scores == "trained":
        values[rows, tags] += TRAINED_GAP
    if labels == "ids":
        # Padded as in a data set whose fullest image has 8 tags.
        return np.pad(tags, ((0, 0), (0, 3)), constant_values=-1), values
    multi_hot = np.zeros_like(values)
    multi_hot[rows, tags] = 1
    return multi_hot, values
