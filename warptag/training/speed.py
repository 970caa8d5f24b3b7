"""How fast a network is trained on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from warptag.data import Records, input_errors
from warptag.training.compile import compiled
from warptag.training.device import out_of_memory, strategy_of_this_machine
from warptag.training.settings import TrainingSettings


class Speed(NamedTuple):
    """The speed of training.

    Attributes:
        start: the seconds until the end of the first step, for which the network is made and
            compiled.
        step: the mean seconds of a later step.
        num_steps: the number of later steps that were measured.
        num_parameters: the number of weights of the network.
    """

    start: float
    step: float
    num_steps: int
    num_parameters: int


def training_speed(
    make_model: Callable[[], keras.Model],
    records: Records,
    settings: TrainingSettings,
    *,
    k: int,
    max_seconds: float,
    max_steps: int,
) -> Speed:
    """Trains a network for some steps as `train` does, on the same devices, and keeps nothing.

    Args:
        make_model, records, settings, k: as in `train`.
        max_seconds: the time after which the measurement ends, not counting the first step.
        max_steps: the number of steps after which it ends, not counting the first step.

    Raises:
        InputError: there are fewer images than one batch, a record is damaged, or the memory is
            too small for a batch.

    Example:
        >>> from warptag.models import AlexNet
        >>> speed = training_speed(
        ...     lambda: AlexNet(3, input_shape=(56, 56, 3), width=0.0625, dense_units=16),
        ...     Records("records", "train"),
        ...     TrainingSettings("warp", batch_size=2),
        ...     k=1,
        ...     max_seconds=1,
        ...     max_steps=2,
        ... )
        >>> speed.num_steps
        2
    """
    records.check_batch(settings.batch_size)
    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    clock = _Clock(max_seconds, max_steps)
    with input_errors(), out_of_memory("measuring the speed", settings):
        with strategy_of_this_machine().scope():
            network, model, metric = compiled(make_model, settings, max_steps + 1, k)
        metric.counting = False  # as in the training steps of `train`
        crops = records.training(
            crop_size=network.input_shape[1],
            batch_size=settings.batch_size,
            seed=settings.seed,
            flip=settings.flip,
            window_area=settings.window_area,
        )
        model.fit(crops, steps_per_epoch=max_steps + 1, callbacks=[clock], shuffle=False, verbose=0)
    step = clock.later / max(clock.num_steps, 1)
    return Speed(clock.first, step, clock.num_steps, network.count_params())


class _Clock(keras.callbacks.Callback):
    """Measures the first step and the later ones, and ends the training."""

    def __init__(self, max_seconds: float, max_steps: int):
        super().__init__()
        self.max_seconds, self.max_steps = max_seconds, max_steps
        self.started, self.num_steps, self.first, self.later = time.perf_counter(), 0, 0.0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # waits for the device
        elapsed = time.perf_counter() - self.started
        if not self.first:
            self.first = elapsed
            return
        self.num_steps, self.later = self.num_steps + 1, elapsed - self.first
        self.model.stop_training = self.num_steps >= self.max_steps or self.later > self.max_seconds
