"""Everything that decides a training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import keras

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking

LOSSES = ("softmax", "ranking", "warp")
#: The paper's images a step, for which learning rates are given.
PAPER_BATCH = 32


@dataclass(frozen=True)
class TrainingSettings:
    """The choices of one run; everything but the data and the network's shape.

    Attributes:
        loss: "softmax", "ranking" or "warp".
        learning_rate: rate at the start (the paper's 0.002).
        scale_learning_rate: multiply the rate by batch_size / 32, the linear rule for batches
            larger than the paper's (Goyal et al., arXiv 1706.02677, section 2.1).
        normalization: of the ranking losses, as `PairwiseRanking`; "none" for softmax.
        epochs: passes over the training images.
        batch_size: images a step over all replicas (the paper's 32).
        momentum: of SGD (the paper's 0.9).
        schedule: what makes the rate fall: "staircase", at given places; "plateau", after
            `patience` epochs without a better validation figure; "constant", nothing.
        decay_at: increasing places at which the staircase falls.
        decay_unit: what `decay_at` counts: "share" of the run, in (0, 1), "epoch" or "step".
        decay_factor: what each fall multiplies by.
        patience: epochs of the plateau.
        weight_decay: coefficient w of the penalty w / 2 x (sum of squared weights); 0 for none.
        staircase_of: what the staircase lowers: the "learning_rate" (our reading of the paper's
            "staircase weight decay"), the coefficient of "weight_decay" (the other), or "both".
        clip_norm: global norm that gradients are clipped to, or None.
        rank: how WARP estimates ranks, as `WARP`.
        keep: the model that is kept: of the "last" epoch, or of the "best" on validation images.
        early_stopping: stop after so many epochs without a better validation figure, or None.
        precision: of the computation: "float32", "bfloat16", or "float16" with loss scaling. The
            weights are float32 in all.
        deterministic: the same numbers in every run on one machine; costs speed on GPUs.
        jit_compile: compile the step with XLA: "on", "off", or "auto", which is on for a single
            GPU (Keras's own choice) unless deterministic, and off for CPUs, where it was measured
            to be slower. "on" needs deterministic=False: TensorFlow has no deterministic XLA form
            of the gradient of pooling.
        seed: of initial weights, order, crops, dropout and WARP's draws.

    Raises:
        ValueError: a choice is unknown or a number is out of range.

    Example:
        >>> settings = TrainingSettings("warp", learning_rate=0.02, epochs=8)
        >>> settings.make_loss()
        <warptag.losses.warp.WARP ...>
    """

    loss: Literal["softmax", "ranking", "warp"] = "softmax"
    learning_rate: float = 0.002
    scale_learning_rate: bool = False
    normalization: Literal["none", "positives", "pairs", "violators"] = "none"
    epochs: int = 10
    batch_size: int = 32
    momentum: float = 0.9
    schedule: Literal["staircase", "plateau", "constant"] = "staircase"
    decay_at: tuple[float, ...] = (0.7, 0.9)
    decay_unit: Literal["share", "epoch", "step"] = "share"
    decay_factor: float = 0.1
    patience: int = 3
    weight_decay: float = 0.0
    staircase_of: Literal["learning_rate", "weight_decay", "both"] = "learning_rate"
    clip_norm: float | None = None
    rank: Literal["sampled", "loop", "exact", "expected"] = "loop"
    keep: Literal["last", "best"] = "last"
    early_stopping: int | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    deterministic: bool = True
    jit_compile: Literal["auto", "on", "off"] = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if getattr(kind, "__origin__", None) is Literal and getattr(self, name) not in get_args(
                kind
            ):
                raise ValueError(
                    f"{name} must be one of {get_args(kind)}, got {getattr(self, name)!r}"
                )
        for name in ("epochs", "batch_size", "patience"):
            _check(name, getattr(self, name), "at least 1", getattr(self, name) >= 1)
        for name in ("learning_rate", "decay_factor"):
            _check(name, getattr(self, name), "positive", getattr(self, name) > 0)
        _check("momentum", self.momentum, "in [0, 1)", 0 <= self.momentum < 1)
        _check("weight_decay", self.weight_decay, "at least 0", self.weight_decay >= 0)
        for name in ("clip_norm", "early_stopping"):
            value = getattr(self, name)
            _check(name, value, "positive or None", value is None or value > 0)
        increasing = list(self.decay_at) == sorted(set(self.decay_at))
        in_range = all(at > 0 and (self.decay_unit != "share" or at < 1) for at in self.decay_at)
        _check(
            "decay_at",
            self.decay_at,
            "increasing and positive, and below 1 as shares of the run",
            increasing and in_range,
        )

        if self.jit_compile == "on" and self.deterministic:
            raise ValueError(
                "jit_compile=on needs deterministic=false: XLA's pooling has no deterministic "
                "gradient"
            )

    @property
    def first_learning_rate(self) -> float:
        """The rate of the first step."""
        scale = self.batch_size / PAPER_BATCH if self.scale_learning_rate else 1.0
        return self.learning_rate * scale

    def make_loss(self) -> keras.losses.Loss:
        if self.loss == "softmax":
            return MultilabelSoftmax()
        if self.loss == "ranking":
            return PairwiseRanking(normalization=self.normalization)
        return WARP(rank=self.rank, normalization=self.normalization, seed=self.seed)


def _check(name: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{name} must be {expected}, got {value}")
