"""Everything that decides a training run but the data and the network's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

import keras

from warptag.data.records import check_window_area
from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking

#: The paper's images per step, for which learning rates are given.
PAPER_BATCH = 32


@dataclass(frozen=True)
class TrainingSettings:
    """The choices of one run.

    Attributes:
        loss: "softmax", "ranking" or "warp".
        learning_rate: rate at the start (the paper's 0.002).
        scale_learning_rate: whether to multiply the rate by batch_size / 32, the linear rule for
            larger batches (Goyal et al., arXiv 1706.02677, section 2.1).
        normalization: what the ranking losses divide by, as in `PairwiseRanking`.
        rank: how WARP estimates ranks, as in `WARP`.
        epochs: passes over the training images.
        batch_size: images per step over all replicas (the paper's 32).
        flip: whether to mirror half of the images left to right.
        window_area: bounds of the area of random windows, as in `Records.training`, or None.
        momentum: momentum of SGD (the paper's 0.9).
        weight_decay: weight decay of the optimizer, as in `keras.optimizers.SGD`; 0 for none.
        clip_norm: global norm that gradients are clipped to, or None.
        schedule: what lowers the rate: "staircase", at given times; "plateau", after `patience`
            epochs without a better validation per-class recall; "constant", nothing. (The paper's
            "staircase weight decay" is read as a staircase of the learning rate.)
        decay_at: increasing times at which the staircase falls.
        decay_unit: unit of `decay_at`: "share" of the run, in (0, 1), or "epoch".
        decay_factor: what each fall multiplies the rate by, in (0, 1).
        patience: epochs of the plateau.
        keep: the model to keep: of the "last" epoch, or of the "best" per-class recall on
            validation images.
        early_stopping: epochs without a better per-class recall after which to stop, or None.
        precision: precision of the computation: "float32", "bfloat16", or "float16" with loss
            scaling. The weights are float32 in all.
        deterministic: whether every run on one machine gives the same numbers; slower on GPUs.
            With JAX and PyTorch it holds on CPUs only.
        jit_compile: whether to compile with XLA: "on", "off", or "auto", Keras's own choice (which
            is "off" for TensorFlow on CPUs, where XLA was measured to be slower). With TensorFlow
            "on" needs deterministic=False: its XLA has no deterministic gradient of pooling.
        steps_per_execution: steps per call into the backend, as in `keras.Model.compile`.
        seed: seed of the initial weights, order, crops, flips, dropout and WARP's draws.

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
    normalization: Literal["none", "positives", "pairs", "violators"] = "violators"
    rank: Literal["sampled", "loop", "exact", "expected"] = "sampled"
    epochs: int = 10
    batch_size: int = 32
    flip: bool = False
    window_area: tuple[float, ...] | None = None
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float | None = None
    schedule: Literal["staircase", "plateau", "constant"] = "staircase"
    decay_at: tuple[float, ...] = (0.7, 0.9)
    decay_unit: Literal["share", "epoch"] = "share"
    decay_factor: float = 0.1
    patience: int = 3
    keep: Literal["last", "best"] = "last"
    early_stopping: int | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    deterministic: bool = True
    jit_compile: Literal["auto", "on", "off"] = "auto"
    steps_per_execution: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if get_origin(kind) is Literal and getattr(self, name) not in get_args(kind):
                expected = f"one of {get_args(kind)}"
                raise ValueError(f"{name} must be {expected}, got {getattr(self, name)!r}")
        for name in ("epochs", "batch_size", "patience", "steps_per_execution"):
            self._require(name, "at least 1", getattr(self, name) >= 1)
        self._require("seed", "from 0 to 4294967295", 0 <= self.seed < 2**32)
        self._require("learning_rate", "positive", self.learning_rate > 0)
        self._require("decay_factor", "between 0 and 1", 0 < self.decay_factor < 1)
        self._require("momentum", "in [0, 1)", 0 <= self.momentum < 1)
        self._require("weight_decay", "at least 0", self.weight_decay >= 0)
        for name in ("clip_norm", "early_stopping"):
            value = getattr(self, name)
            self._require(name, "positive or None", value is None or value > 0)
        self._require(
            "decay_at",
            "increasing and positive, and below 1 as shares of the run",
            list(self.decay_at) == sorted(set(self.decay_at))
            and all(at > 0 and (self.decay_unit != "share" or at < 1) for at in self.decay_at),
        )
        check_window_area(self.window_area)
        if (
            self.jit_compile == "on"
            and self.deterministic
            and keras.backend.backend() == "tensorflow"
        ):
            raise ValueError(
                "jit_compile=on needs deterministic=false: TensorFlow's XLA has no deterministic "
                "gradient of pooling"
            )

    def _require(self, name: str, expected: str, holds: bool) -> None:
        if not holds:
            raise ValueError(f"{name} must be {expected}, got {getattr(self, name)}")

    @property
    def first_learning_rate(self) -> float:
        """The rate of the first step."""
        scale = self.batch_size / PAPER_BATCH if self.scale_learning_rate else 1.0
        return self.learning_rate * scale

    def make_loss(self) -> keras.losses.Loss:
        """The Keras loss."""
        if self.loss == "softmax":
            return MultilabelSoftmax()
        if self.loss == "ranking":
            return PairwiseRanking(normalization=self.normalization)
        return WARP(rank=self.rank, normalization=self.normalization, seed=self.seed)

    def make_schedule(
        self, steps_per_epoch: int
    ) -> float | keras.optimizers.schedules.LearningRateSchedule:
        """The learning rate of the optimizer: a number, or a staircase over its steps.

        Example:
            >>> settings = TrainingSettings(decay_at=(0.5,), epochs=10)
            >>> schedule = settings.make_schedule(steps_per_epoch=100)
            >>> [round(float(schedule(step)), 6) for step in (0, 999)]
            [0.002, 0.0002]
        """
        rate = self.first_learning_rate
        if self.schedule != "staircase" or not self.decay_at:
            return rate
        unit = steps_per_epoch * (self.epochs if self.decay_unit == "share" else 1)
        rates = [rate * self.decay_factor**falls for falls in range(len(self.decay_at) + 1)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [round(at * unit) for at in self.decay_at], rates
        )
