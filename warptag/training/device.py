"""The hardware that a run trains on: its name, its strategy, its memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

from tfrecords_tools.errors import InputError
from warptag.training.settings import TrainingSettings


def device() -> str:
    """The GPUs that the backend sees or, without any, the processor and its number of cores.

    Example:
        >>> print("trained on", device())
        trained on ...
    """
    gpus = _gpus()
    if gpus:
        return f"{len(gpus)} x {gpus[0]}"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores"


def _gpus() -> list[str]:
    """The names of the GPUs."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [detail.get("device_name", "GPU") for detail in details]


def on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def strategy_of_this_machine() -> tf.distribute.Strategy:
    """`MirroredStrategy` if TensorFlow trains on several GPUs, else the default strategy."""
    if on_tensorflow() and len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextmanager
def out_of_memory(name: str, settings: TrainingSettings) -> Iterator[None]:
    """Turns the error of TensorFlow or PyTorch that there is no memory left into an InputError."""
    kinds: list[type[Exception]] = [MemoryError, tf.errors.ResourceExhaustedError]
    if keras.backend.backend() == "torch":
        import torch

        kinds.append(torch.OutOfMemoryError)
    try:
        yield
    except tuple(kinds) as error:
        raise InputError(
            f"{name}: there is too little memory for batches of {settings.batch_size} images; "
            "choose a smaller batch_size or crop_size"
        ) from error
