"""Pretrained networks, for experiments and for one's own photographs.

    warptag train folder --input PHOTOS --output MINE
    warptag reproduce corel5k --input DIR --backbone MobileNetV2

Only the head is trained, a hidden layer over the features of a network of `keras.applications` that
was trained on ImageNet. The settings are good ones on the validation photographs of Corel5K, with
MobileNetV2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warptag.experiments.experiment import Networks

#: The default for one's own photographs: small enough for a CPU.
BACKBONE = "MobileNetV2"


def _grid(rates: Sequence[float], normalization: str = "none") -> tuple[dict[str, Any], ...]:
    return tuple(
        {"learning_rate": rate, "normalization": normalization, "weight_decay": decay}
        for rate in rates
        for decay in (0.0, 0.003)
    )


#: Around good rates on Corel5K (`benchmarks/photograph_losses`), as many for every loss. For
#: losses with a margin, which do not mind higher rates, the low end of the good ones.
GRID = {
    "softmax": _grid((0.01, 0.03, 0.1)),
    "ranking": _grid((0.03, 0.1, 0.3), "violators"),
    "warp": _grid((0.03, 0.1, 0.3), "violators"),
    "k_order_warp": _grid((0.03, 0.1, 0.3), "violators"),
    "lsep": _grid((0.01, 0.03, 0.1)),
    "asymmetric": _grid((0.01, 0.03, 0.1)),
    "bce": _grid((1.0, 3.0, 10.0)),
}


def pretrained_networks(backbone: str, weights: str, crop_size: int, selection_k: int) -> Networks:
    """A pretrained network whose head is trained with each loss.

    Args:
        backbone: the name of a network of `keras.applications`.
        weights: its weights, "imagenet" or a file.
        crop_size: the side of the network's input, in pixels.
        selection_k: the number of tags per image for the validation metrics.
    """
    return Networks(
        crop_size=crop_size,
        architecture={"hidden_units": 1024, "input_dropout": 0.5, "dropout": 0.5},
        training={
            "epochs": 30,
            # The largest; with few photographs, an epoch would have too few steps.
            "batch_size": 128,
            "clip_norm": 5.0,
            "flip": True,
            "schedule": "cosine",
        },
        # The middle rate, with weight decay.
        chosen={loss: candidates[3] for loss, candidates in GRID.items()},
        search_epochs=5,
        grid=GRID,
        selection_k=selection_k,
        backbone=backbone,
        weights=weights,
    )


#: The settings of fine-tuning all weights of a pretrained network, whatever the loss.
FINE_TUNING: dict[str, Any] = {
    "epochs": 5,
    "batch_size": 32,
    "learning_rate": 0.002,
    "weight_decay": 0.0,
    "clip_norm": 5.0,
    "flip": True,
    "window_area": (0.5, 1.0),
    "schedule": "cosine",
}
