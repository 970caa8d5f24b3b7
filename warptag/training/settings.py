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
        learning_rate: rate at the start of the staircase (the paper's 0.002).
        normalization: of the ranking losses, as `PairwiseRanking`; "none" for softmax.
        epochs: passes over the training images.
        batch_size: images a step over all replicas (the paper's 32).
        momentum: of SGD (the paper's 0.9).
        decay_at: shares of the run at which the rate falls.
        decay_factor: what each fall multiplies the rate by.
        clip_norm: global norm that gradients are clipped to, or None.
        rank: how WARP estimates ranks, as `WARP`.
        seed: of initial weights, order, crops, dropout and WARP's draws.

    Raises:
        ValueError: the loss is unknown or a number is out of range.
    """

    loss: str = "softmax"
    learning_rate: float = 0.002
    normalization: str = "none"
    epochs: int = 10
    batch_size: int = 32
    momentum: float = 0.9
    decay_at: tuple[float, ...] = (0.7, 0.9)
    decay_factor: float = 0.1
    clip_norm: float | None = None
    rank: str = "loop"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {LOSSES}, got {self.loss!r}")
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise ValueError(
                "epochs and batch_size must be at least 1 and learning_rate positive, "
                f"got {self.epochs}, {self.batch_size} and {self.learning_rate}"
            )

    def make_loss(self) -> keras.losses.Loss:
        if self.loss == "softmax":
            return MultilabelSoftmax()
        if self.loss == "ranking":
            return PairwiseRanking(normalization=self.normalization)
        return WARP(rank=self.rank, normalization=self.normalization, seed=self.seed)
