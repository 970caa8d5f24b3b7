"""Everything that decides a training run."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking

LOSSES = ("softmax", "ranking", "warp")


@dataclass(frozen=True)
class TrainingSettings:
    """The choices of one run; everything but the data and the network's shape.

    Attributes:
        loss: "softmax", "ranking" or "warp".
        learning_rate: rate at the start of the staircase.
        normalization: of the ranking losses, as `PairwiseRanking`; "none" for softmax.
        epochs: passes over the training images.
        batch_size: images a step over all replicas (the paper's 32).
        momentum: of SGD (the paper's 0.9).
        decay_at: shares of the run at which the rate falls.
        decay_factor: what each fall multiplies the rate by.
        clip_norm: global norm that gradients are clipped to, or None.
        rank: how WARP estimates ranks, as `WARP`.
        seed: of initial weights, order, crops, dropout and WARP's draws.
    """

    loss: str
    learning_rate: float
    normalization: str = "none"
    epochs: int = 10
    batch_size: int = 32
    momentum: float = 0.9
    decay_at: tuple[float, ...] = (0.6, 0.85)
    decay_factor: float = 0.1
    clip_norm: float | None = None
    rank: str = "loop"
    seed: int = 0

    def make_loss(self) -> keras.losses.Loss:
        if self.loss == "softmax":
            return MultilabelSoftmax()
        if self.loss == "ranking":
            return PairwiseRanking(normalization=self.normalization)
        if self.loss == "warp":
            return WARP(rank=self.rank, normalization=self.normalization, seed=self.seed)
        raise ValueError(f"loss must be one of {LOSSES}, got {self.loss!r}")
