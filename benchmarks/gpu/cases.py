"""What is measured: the paper's sizes, and small ones that a CPU computes in seconds.

Imports no backend, since each measuring process has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The number of tags of the network, as in the paper.
NUM_TAGS = 81
PRECISIONS = ("float32", "bfloat16")
SOFTMAX_STEP, WARP_STEP = "warptag, softmax", "warptag, WARP"
TORCH_STEP, COMPILED_TORCH_STEP = "PyTorch loop", "PyTorch loop, torch.compile"


@dataclass(frozen=True)
class Speed:
    """The sizes of the measurements of speed.

    Attributes:
        batches: the numbers of images per batch.
        num_tags: the numbers of tags of the losses.
        max_loop: the maximum number of tags of the sampling loop.
        crop_size: the side of the network's input, in pixels.
        architecture: further arguments of the network.
        rounds: the number of blocks of calls that are timed.
        loss_seconds, step_seconds: about how long a block takes.
        small: whether a CPU is enough, since the numbers decide nothing.
    """

    batches: tuple[int, ...] = (32, 256)
    num_tags: tuple[int, ...] = (81, 1_000, 10_000, 100_000)
    max_loop: int = 1_000
    crop_size: int = 220
    architecture: dict[str, Any] = field(default_factory=dict)
    rounds: int = 5
    loss_seconds: float = 0.05
    step_seconds: float = 0.5
    small: bool = False


@dataclass(frozen=True)
class Photographs:
    """The sizes of the training on Corel5K.

    Attributes:
        input_dir: the folder with `db` and `labels`.
        epochs: the number of epochs per run; a run of the search has a quarter.
        seeds: the number of runs per loss.
        rates: the learning rates that are tried for each loss.
        size: the side of the stored photographs, in pixels.
        crop_size: the side of the network's input, in pixels.
        batch: the number of images per batch.
        architecture: further arguments of the network.
        small: whether a CPU is enough, since the numbers decide nothing.
    """

    input_dir: Path
    epochs: int = 25
    seeds: int = 3
    rates: tuple[float, ...] = (0.002, 0.005, 0.01, 0.02, 0.05)
    size: int = 256
    crop_size: int = 220
    batch: int = 32
    architecture: dict[str, Any] = field(default_factory=dict)
    small: bool = False


SMALL_NETWORK = {"crop_size": 32, "architecture": {"width": 0.0625, "dense_units": 8}}
SMALL: dict[str, Any] = {
    **{"batches": (2,), "num_tags": (8, 12), "max_loop": 8, "rounds": 2},
    **{"loss_seconds": 0.01, "step_seconds": 0.01, "small": True},
    **SMALL_NETWORK,
}
SMALL_PHOTOGRAPHS: dict[str, Any] = {
    **{"epochs": 1, "seeds": 2, "rates": (0.01, 0.02), "size": 40, "batch": 2, "small": True},
    **SMALL_NETWORK,
}
