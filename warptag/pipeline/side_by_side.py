"""Training runs side by side: one process per core, each with one thread.

A small network uses one core better than it shares several. With one thread per run, the numbers
do not depend on the number of cores either.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.worker_processes import end_with_parent, interrupts_ignored
from warptag import experiments

Result = TypeVar("Result")


@dataclass(frozen=True)
class Task:
    """One training run, as plain data for another process.

    Attributes:
        experiment, networks, records, options: the arguments of `Networks`.
        name: the name of the run.
        settings: the fields of its `TrainingSettings`.
        directory: the folder of the run.
        scored: whether the test images are scored as well.
    """

    experiment: str
    networks: experiments.Networks
    records: Path
    options: dict[str, Any]
    name: str
    settings: dict[str, Any]
    directory: Path
    scored: bool


@contextmanager
def training(tasks: Sequence[Task]) -> Iterator[None]:
    """Trains networks in other processes while the block runs, and waits for them at its end.

    It does so with TensorFlow on a CPU only. A run that fails is left unfinished: whoever needs
    its results trains it again, and gets the error. When this process is interrupted or killed,
    or the block raises an error, the runs end, and they resume from their last checkpoints.

    Args:
        tasks: the runs.
    """
    if not tasks or not _is_faster():
        yield
        return
    context = multiprocessing.get_context("spawn")
    next_task = context.Value("i", 0)
    processes = [
        context.Process(target=_work, args=(tasks, next_task), daemon=True)
        for _ in range(_num_processes(len(tasks)))
    ]
    try:
        with interrupts_ignored():
            for process in processes:
                process.start()
        yield
        for process in processes:
            process.join()
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()


def call_side_by_side(function: Callable[..., Result], *arguments: Any, runs: int) -> list[Result]:
    """Calls a function at the same time in as many processes as `training` would use.

    Args:
        function: the function, which can be sent to another process.
        *arguments: its arguments.
        runs: the number of training runs.

    Returns:
        The result of every process. Where runs are trained one after the other, the function is
        called once, in this process.
    """
    if not _is_faster():
        return [function(*arguments)]
    number = _num_processes(runs)
    pool = ProcessPoolExecutor(
        number, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        with interrupts_ignored():
            futures = [pool.submit(function, *arguments) for _ in range(number)]
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)


def _num_processes(runs: int) -> int:
    return min(os.cpu_count() or 1, runs)


def _is_faster() -> bool:
    """Whether processes with one thread each train faster than one with all: on a CPU only."""
    import keras
    import tensorflow as tf

    return (
        keras.backend.backend() == "tensorflow"
        and not tf.config.list_physical_devices("GPU")
        and not os.environ.get("TF_CONFIG")
    )


def _work(tasks: Sequence[Task], next_task: Any) -> None:
    """Carries out tasks, one after the other, until every one has been taken."""
    _start_worker()
    while True:
        with next_task:
            number = next_task.value
            next_task.value += 1
        if number >= len(tasks):
            return
        _train(tasks[number])


def _start_worker() -> None:
    end_with_parent()
    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _train(task: Task) -> None:
    from tfrecords_tools.errors import InputError
    from warptag.pipeline.networks import Networks
    from warptag.training import TrainingDiverged, TrainingSettings

    networks = Networks(task.experiment, task.networks, task.records, **task.options)
    settings = TrainingSettings(**task.settings)
    try:
        if task.scored:
            networks.run(settings, task.directory)
        else:
            networks.train(task.name, settings, task.directory)
    except (InputError, TrainingDiverged):
        pass  # The main process meets it again, and reports it.
