"""Where a run broke whose loss is no longer a finite number."""

from __future__ import annotations

import keras
import numpy as np

from tfrecords_tools.errors import InputError


class TrainingDiverged(InputError):
    """The loss became NaN or infinite.

    Example:
        >>> raise TrainingDiverged("warp: the loss is NaN at step 12")
        Traceback (most recent call last):
            ...
        warptag.training.divergence.TrainingDiverged: warp: the loss is NaN at step 12
    """


def diverged(name: str, what: str, model: keras.Model, images, checkpoint: str) -> TrainingDiverged:
    """The error, with the layer in which the first number is not finite and what to try.

    Args:
        name: of the run.
        what: what happened, and when.
        model: with the weights it broke with.
        images: uint8 (batch, height, width, 3), those of the step.
        checkpoint: what is kept.
    """
    return TrainingDiverged(
        f"{name}: {what}; the first values that are not finite are {first_broken(model, images)}; "
        f"{checkpoint}; try a smaller learning_rate, clip_norm=5 or another normalization"
    )


def first_broken(model: keras.Model, images) -> str:
    """The first layer, from the input on, with values that are not finite."""
    for layer in model.layers:
        for weight in layer.weights:
            if not _finite(weight):
                return f"weights of layer {layer.name}"
    outputs = [layer.output for layer in model.layers]
    values = keras.Model(model.inputs, outputs)(images, training=False)
    for layer, value in zip(model.layers, values, strict=True):
        if not _finite(value):
            return f"outputs of layer {layer.name}"
    return "in the loss"


def _finite(tensor) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(tensor).astype(np.float32)).all())
