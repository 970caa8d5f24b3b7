"""The network of a run with preprocessing and calibration: photographs in, probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import ops

from tfrecords_tools.errors import InputError
from warptag.exporting.preprocessing import evaluation_crop
from warptag.training import load_calibration, load_run
from warptag.training.run_folder import MODEL, SETTINGS


def photograph_model(run: Path) -> tuple[keras.Model, dict[str, Any]]:
    """A functional model of built-in operations only, in float32, and the settings of its run.

    Args:
        run: folder of a finished run.

    Returns:
        The model maps uint8 (batch, height, width, 3), of any height and width, to a dictionary of
        float32 (batch, num_tags): `scores`, and `probabilities` in [0, 1] if the run has a
        calibration.

    Raises:
        InputError: the folder is not a finished run, or its files do not belong together.
    """
    network, settings = load_run(run, needs=("image",))
    size, shorter_side = settings["image"]["size"], settings["image"]["shorter_side"]
    num_tags = len(settings["tag_names"])
    crop_size = _crop_size(network, num_tags, run / MODEL)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    crop = evaluation_crop(image, crop_size, size, shorter_side)
    outputs = {"scores": _in_float32(network)(crop, training=False)}
    calibration = load_calibration(run)
    if calibration is not None:
        outputs["probabilities"] = ops.sigmoid(calibration.logits(outputs["scores"]))
    return keras.Model(image, outputs, name="photograph_model"), settings


def _crop_size(network: keras.Model, num_tags: int, path: Path) -> int:
    try:
        _, height, width, channels = network.input_shape
        if height and height == width and channels == 3 and network.output_shape[1:] == (num_tags,):
            return height
    except (TypeError, ValueError, AttributeError):  # several inputs, or none known
        pass
    raise InputError(
        f"{path} is not a network from square crops of 3 channels to the {num_tags} tags of "
        f"{SETTINGS}; expected the files of one run"
    )


def _in_float32(network: keras.Model) -> keras.Model:
    """The network, or a float32 copy of it if it computes in less precision."""
    if all(layer.compute_dtype == "float32" for layer in network.layers):
        return network

    def clone(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(network, clone_function=clone, recursive=True)
    copy.set_weights(network.get_weights())
    return copy
