"""Where a network trains, and by which engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError
from warptag.training.cluster import ClusterTask, listening, require_free_port, this_task, wait_for
from warptag.training.settings import TrainingSettings
from warptag.training.synchronous import Synchronous

#: How long several machines wait for each other.
JOIN_SECONDS = 120.0
STRATEGIES = ("auto", "mirrored", "parameter-server", "multi-worker")


class Engine(Protocol):
    """Runs training steps; see `Synchronous` and `Asynchronous`."""

    strategy: tf.distribute.Strategy
    num_replicas: int
    steps_per_call: int
    counts_exactly: bool

    def start(self, step, make_batches) -> None: ...

    def run(self, num_steps: int) -> np.ndarray: ...

    def stop(self) -> None: ...


def make_engine(name: str, settings: TrainingSettings) -> Engine:
    """The engine of a strategy.

    Args:
        name: one of `STRATEGIES`. "auto": what TF_CONFIG describes; without it, all GPUs of this
            machine, or its CPU.
        settings: of the run.

    Raises:
        InputError: the strategy needs TF_CONFIG, or the batch cannot be shared by the replicas.
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy must be one of {STRATEGIES}, got {name!r}")
    task = task_of(name)
    if name == "auto" and task is not None:
        name = "parameter-server" if "ps" in task.cluster else "multi-worker"
    if name in ("parameter-server", "multi-worker") and task is None:
        raise InputError(
            f"--strategy {name} needs TF_CONFIG, the description of the cluster and this "
            "process's task in it; to try it on this machine use `warptag cluster`"
        )
    if settings.jit_compile == "on" and name in ("parameter-server", "multi-worker"):
        raise InputError("jit_compile=on works for a single replica only; leave it at auto")
    if name == "parameter-server":
        from warptag.training.asynchronous import Asynchronous

        assert task is not None
        return Asynchronous(task)
    if name == "multi-worker":
        assert task is not None
        strategy = _multi_worker(task)
    else:
        strategy = _mirrored(always=name == "mirrored")
    num_replicas = strategy.num_replicas_in_sync
    if settings.batch_size % num_replicas:
        raise InputError(
            f"batch_size {settings.batch_size} cannot be shared by {num_replicas} replicas; "
            f"choose a multiple of {num_replicas} with --set batch_size=..."
        )
    if settings.jit_compile == "on" and num_replicas > 1:
        raise InputError("jit_compile=on works for a single replica only; leave it at auto")
    return Synchronous(strategy, _jit_compile(settings, num_replicas))


def _jit_compile(settings: TrainingSettings, num_replicas: int) -> bool:
    if settings.jit_compile != "auto":
        return settings.jit_compile == "on"
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    return on_gpu and num_replicas == 1 and not settings.deterministic


def _mirrored(always: bool) -> tf.distribute.Strategy:
    """`MirroredStrategy` over the GPUs, or over the logical CPUs; one CPU needs none."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if devices[0].device_type == "CPU" and (len(devices) == 1 or not always):
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multi_worker(task: ClusterTask) -> tf.distribute.Strategy:
    """`MultiWorkerMirroredStrategy`, once all processes of the cluster are there."""
    require_free_port(task)
    tasks = [
        ClusterTask(task.cluster, type, index)
        for type, addresses in task.cluster.items()
        for index in range(len(addresses))
    ]
    others = {other.name: other.address for other in tasks if other != task}
    # TensorFlow would wait for the others for an hour, and cannot be interrupted.
    with listening(task.port):
        wait_for(others, JOIN_SECONDS)
    return tf.distribute.MultiWorkerMirroredStrategy()


def task_of(strategy: str) -> ClusterTask | None:
    """This process's task in the cluster that a strategy trains on; None on one machine.

    Raises:
        InputError: TF_CONFIG is wrong, or describes a cluster for another strategy.
    """
    task = this_task() if strategy != "mirrored" else None
    if task is None or strategy == "auto":
        return task
    if ("ps" in task.cluster) != (strategy == "parameter-server"):
        has = "has" if "ps" in task.cluster else "has no"
        raise InputError(
            f"--strategy {strategy} and TF_CONFIG disagree: its cluster {has} parameter servers"
        )
    return task


def is_chief(strategy: str) -> bool:
    """Whether this process is the one of its cluster that writes files."""
    task = task_of(strategy)
    if task is None or task.type == "chief":
        return True
    return "chief" not in task.cluster and (task.type, task.index) == ("worker", 0)


def device_name() -> str:
    """What the strategy runs on, for the record of a run.

    Example:
        >>> print("trained on", device_name())
        trained on ...
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"{len(gpus)} x {details.get('device_name', 'GPU')}"
    return "CPU"
