"""The hardware that a run trains on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import keras


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
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [detail.get("device_name", "GPU") for detail in details]
