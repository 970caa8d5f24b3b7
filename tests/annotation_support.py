"""A run with few weights, without training, and photographs for it."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from warptag.models import AlexNet
from warptag.training import Calibration

CALIBRATION = Calibration(1.0, -0.1, 0.2)
TAG_NAMES = ["red", "green", "blue & <b>white</b>"]


def make_run(
    folder: Path, size: int | None = 24, shorter_side: bool = False, **more_settings
) -> Path:
    """The files of a finished run that matter for new photographs."""
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(3)
    model = AlexNet(3, (16, 16, 3), width=0.1, dense_units=16, first_stride=2)
    scores = model.get_layer("scores")
    # The initial weights are so small that all photographs look the same.
    scores.kernel.assign(np.random.default_rng(0).normal(size=scores.kernel.shape))
    model.save(folder / "model.keras")
    image = {"size": size, "shorter_side": shorter_side}
    settings = {"tag_names": TAG_NAMES, "patches": "center", "crop_size": 16, "image": image}
    (folder / "settings.json").write_text(json.dumps(settings | more_settings))
    CALIBRATION.save(folder)
    return folder


def write_photograph(path: Path, seed: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    """A smooth picture, so that JPEG changes it little; size is (width, height), pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return path
