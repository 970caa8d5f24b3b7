"""Stops a run when its loss is NaN or infinite, and locates the layer where this began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np

from tfrecords_tools.errors import InputError
from warptag.metrics.base import NaNScores


class TrainingDiverged(InputError):
    """The loss became NaN or infinite.

    Example:
        >>> raise TrainingDiverged("warp: the loss is NaN at step 12")
        Traceback (most recent call last):
            ...
        warptag.training.divergence.TrainingDiverged: warp: the loss is NaN at step 12
    """


class StopOnDivergence(keras.callbacks.Callback):
    """Raises TrainingDiverged, which names step and layer, as soon as a value is not finite.

    Unlike `keras.callbacks.TerminateOnNaN`, it raises an error, and also checks the validation
    metrics and the gradient.

    Args:
        name: the name of the run, for the message.
        images_of: a function from an epoch and a step, both counted from 0, to the inputs of that
            step, such as images, uint8 (batch, height, width, 3).
    """

    def __init__(self, name: str, images_of: Callable[[int, int], object]) -> None:
        super().__init__()
        self.name, self.images_of = name, images_of
        self.epoch = self.last_step = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.steps_before = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))

    def on_train_batch_begin(self, batch, logs=None):
        self.last_step = batch

    def on_train_batch_end(self, batch, logs=None):
        self.last_step = batch
        self._check(logs, f"at step {batch + 1:,}")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, "after the last step")
        # A gradient may be NaN or infinite although the loss is finite.
        optimizer = self.model.optimizer
        if step := int(keras.ops.convert_to_numpy(getattr(optimizer, "first_skipped", 0))):
            self.last_step = step - self.steps_before - 1
            self._stop(f"the gradient is not finite at step {self.last_step + 1:,}")
        if float(keras.ops.convert_to_numpy(getattr(optimizer, "dynamic_scale", 1.0))) < 1:
            self._stop("the gradients overflow float16 at every loss scale")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns NaNScores, which metrics raise with PyTorch before any callback is called, into
        TrainingDiverged."""
        try:
            yield
        except NaNScores:
            self._stop(f"scores are NaN at step {self.last_step + 1:,}")

    def _check(self, logs, when: str) -> None:
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                self._stop(f"{name} is {value} {when}")

    def _stop(self, what: str) -> None:
        images = self.images_of(self.epoch, self.last_step)
        raise TrainingDiverged(
            f"{self.name}, epoch {self.epoch + 1}: {what}; the first values that are not finite "
            f"are {first_broken(self.model, images)}. Checkpoints of earlier epochs are kept. Try "
            "a smaller learning_rate, clip_norm=5 or another normalization"
        )


def first_broken(model: keras.Model, images) -> str:
    """Locates the first values, counted from the input, that are not finite."""
    for layer in model.layers:
        if not all(map(_finite, layer.weights)):
            return f"the weights of layer {layer.name}"
    outputs = keras.Model(model.inputs, [layer.output for layer in model.layers])
    for layer, value in zip(model.layers, outputs([images], training=False), strict=True):
        if not _finite(value):
            return f"the outputs of layer {layer.name}"
    return "in the loss"


def _finite(tensor) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(tensor).astype(np.float32)).all())
