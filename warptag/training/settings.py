"""The settings of a training run: everything that determines it but the data and the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

import keras

from warptag.data.records import check_window_area
from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)
from warptag.training.ranges import Range

#: The paper's batch size, for which learning rates are given.
PAPER_BATCH = 32
COUNT = Range(1, 1_000_000, whole=True)
#: The valid values of every number. The upper bounds are far above what is of use.
RANGES = {
    "learning_rate": Range(0, 1000, low_open=True),
    "epochs": COUNT,
    "batch_size": Range(1, 65_536, whole=True),
    "window_area": Range(0, 1, low_open=True),
    "momentum": Range(0, 1, high_open=True),
    "weight_decay": Range(0, 1000),
    "clip_norm": Range(0, 1_000_000, low_open=True),
    "decay_at": Range(0, 1_000_000, low_open=True),
    "decay_factor": Range(0, 1, low_open=True, high_open=True),
    "patience": COUNT,
    "early_stopping": COUNT,
    "steps_per_execution": Range(1, 10_000, whole=True),
    "seed": Range(0, 2**32 - 1, whole=True),
}


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one training run.

    Attributes:
        loss: the loss: "softmax", "ranking" or "warp", the paper's; "k_order_warp", "lsep",
            "asymmetric" or "bce", with the default arguments of their classes.
        learning_rate: the initial learning rate (0.002 in the paper).
        scale_learning_rate: whether to multiply the rate by batch_size / 32, the linear scaling
            rule for larger batches (Goyal et al., arXiv 1706.02677, section 2.1).
        normalization: the normalization of the ranking losses, as in `PairwiseRanking`.
        rank: how WARP estimates ranks, as in `WARP`.
        epochs: the number of epochs.
        batch_size: the number of images per step over all replicas (32 in the paper).
        flip: whether to mirror half of the images left to right.
        window_area: the bounds of the area of random windows, as in `Records.training`, or None.
        momentum: the momentum of SGD (0.9 in the paper).
        weight_decay: the weight decay, as in `keras.optimizers.SGD`; 0 for none.
        clip_norm: the global norm that gradients are clipped to, or None.
        schedule: when the learning rate is reduced: "staircase" reduces it at given times,
            "plateau" after `patience` epochs without a better validation per-class recall,
            "cosine" at every step, along half a cosine to 0, "constant" never. (The paper's
            "staircase weight decay" is read as a staircase of the learning rate.)
        decay_at: the increasing times at which the staircase reduces the rate.
        decay_unit: the unit of `decay_at`: "share" of the run, in (0, 1), or "epoch".
        decay_factor: the factor of each reduction, in (0, 1).
        patience: the patience of the plateau, in epochs.
        keep: the epoch whose model is kept: the "last", or the "best" by per-class recall on the
            validation images.
        early_stopping: the number of epochs without a better per-class recall after which to stop,
            or None.
        precision: the precision of the computation: "float32", "bfloat16", or "float16" with loss
            scaling. The weights are always float32.
        deterministic: whether every run on one machine gives the same numbers, which is slower on
            GPUs. With JAX and PyTorch this holds on CPUs only.
        jit_compile: whether to compile with XLA: "on", "off", or "auto" for Keras's choice. With
            TensorFlow, "on" needs deterministic=False, since its XLA has no deterministic gradient
            of pooling, and "auto" means "off" if deterministic.
        steps_per_execution: the number of steps per call of the backend, as in
            `keras.Model.compile`.
        seed: the seed of the initial weights, order, crops, flips, dropout and WARP's draws.

    Raises:
        ValueError: a choice is unknown or a number is out of range.

    Example:
        >>> settings = TrainingSettings("warp", learning_rate=0.02, epochs=8)
        >>> settings.make_loss()
        <warptag.losses.warp.WARP ...>
    """

    loss: Literal["softmax", "ranking", "warp", "k_order_warp", "lsep", "asymmetric", "bce"] = (
        "softmax"
    )
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
    schedule: Literal["staircase", "cosine", "plateau", "constant"] = "staircase"
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
            if kind is bool and not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}")
        for name, valid in RANGES.items():
            self._check_range(name, valid)
        if list(self.decay_at) != sorted(set(self.decay_at)) or (
            self.decay_unit == "share" and any(at >= 1 for at in self.decay_at)
        ):
            raise ValueError(
                "decay_at must be increasing, and below 1 as shares of the run, got "
                f"{self.decay_at}"
            )
        check_window_area(self.window_area)
        self.make_loss()
        if (
            self.jit_compile == "on"
            and self.deterministic
            and keras.backend.backend() == "tensorflow"
        ):
            raise ValueError(
                "jit_compile=on needs deterministic=false, since TensorFlow's XLA has no "
                "deterministic gradient of pooling"
            )

    def _check_range(self, name: str, valid: Range) -> None:
        value, kind = getattr(self, name), get_type_hints(type(self))[name]
        if value is None and type(None) in get_args(kind):
            return
        values = value if isinstance(value, (tuple, list)) else (value,)
        if not all(one in valid for one in values):
            either = " or None" if type(None) in get_args(kind) else ""
            raise ValueError(f"{name} must be {valid}{either}, got {value!r}")

    @property
    def first_learning_rate(self) -> float:
        """The learning rate of the first step."""
        scale = self.batch_size / PAPER_BATCH if self.scale_learning_rate else 1.0
        return self.learning_rate * scale

    def make_loss(self) -> keras.losses.Loss:
        """Makes the Keras loss."""
        normalization, rank, seed = self.normalization, self.rank, self.seed
        match self.loss:
            case "softmax":
                return MultilabelSoftmax()
            case "ranking":
                return PairwiseRanking(normalization=normalization)
            case "warp":
                return WARP(rank=rank, normalization=normalization, seed=seed)
            case "k_order_warp":
                return KOrderStatisticWARP(rank=rank, normalization=normalization, seed=seed)
            case "lsep":
                return LSEP()
            case "asymmetric":
                return AsymmetricLoss()
        return WeightedBinaryCrossentropy()

    def make_schedule(
        self, steps_per_epoch: int
    ) -> float | keras.optimizers.schedules.LearningRateSchedule:
        """Makes the learning rate of the optimizer: a number, or a schedule over its steps.

        Args:
            steps_per_epoch: the number of steps per epoch.

        Example:
            >>> settings = TrainingSettings(decay_at=(0.5,), epochs=10)
            >>> schedule = settings.make_schedule(steps_per_epoch=100)
            >>> [round(float(schedule(step)), 6) for step in (0, 999)]
            [0.002, 0.0002]
        """
        rate = self.first_learning_rate
        if self.schedule == "cosine":
            return keras.optimizers.schedules.CosineDecay(rate, steps_per_epoch * self.epochs)
        if self.schedule != "staircase" or not self.decay_at:
            return rate
        unit = steps_per_epoch * (self.epochs if self.decay_unit == "share" else 1)
        rates = [rate * self.decay_factor**falls for falls in range(len(self.decay_at) + 1)]
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [round(at * unit) for at in self.decay_at], rates
        )
