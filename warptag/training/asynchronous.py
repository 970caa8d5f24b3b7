"""Asynchronous training, the paper's way: workers update shared weights without waiting."""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError
from warptag.training.cluster import ClusterTask, absent_servers, require_free_port, wait_for

#: Steps a worker between two returns to the caller, when the workers wait for each other.
STEPS_PER_CALL = 32
#: Batches a worker that are on their way: enough that none waits for its next.
BATCHES_IN_FLIGHT = 3
#: Seconds within which all processes must appear, and within which any step must finish.
PATIENCE = 300.0


class Asynchronous:
    """The chief of a cluster: hands each batch to the next idle worker.

    Parameter servers hold the variables. A worker reads them, computes a gradient and applies it,
    whatever the others have applied meanwhile. This process alone reads records; a batch travels
    with the step it is for. A worker that dies loses nothing: its step is made by another one, and
    it takes part again once it is back. When a parameter server dies the run ends.

    Args:
        task: this process, the chief.
        patience: seconds within which all processes must appear, and within which any step must
            finish.

    Attributes:
        strategy: in whose scope model and step are made. Variables made before the engine are lost.
        num_replicas: 1, for no two workers share a batch.
        steps_per_call: how many steps `run` is best asked for.
        counts_exactly: False: workers that count at the same time lose some steps.

    Raises:
        InputError: a process of the cluster does not appear, this one's port is taken, or workers
            see several GPUs.

    Example:
        with LocalCluster(num_workers=4, num_parameter_servers=2) as cluster:
            engine = Asynchronous(cluster.task)
            with engine.strategy.scope():
                step = TrainingStep(...)
            engine.start(step, lambda worker: batches)
            losses = engine.run(engine.steps_per_call)
            engine.stop()
    """

    num_replicas = 1
    counts_exactly = False

    def __init__(self, task: ClusterTask, patience: float = PATIENCE):
        if task.type != "chief":
            raise InputError(
                f'{task.name} does not coordinate the cluster; the task of type "chief" does'
            )
        self.patience, self._servers = patience, task.servers
        wait_for(task.servers, patience)
        require_free_port(task)
        # It tells of each worker that is away in many lines, and that the chief scores images.
        logging.getLogger("tensorflow").setLevel(logging.CRITICAL)
        self.strategy = tf.distribute.ParameterServerStrategy(
            tf.distribute.cluster_resolver.SimpleClusterResolver(
                tf.train.ClusterSpec(task.cluster),
                task_type=task.type,
                task_id=task.index,
                rpc_layer="grpc",
            )
        )
        if self.strategy.num_replicas_in_sync > 1:
            raise InputError(
                "each worker must see one GPU at most; start one a GPU, with CUDA_VISIBLE_DEVICES"
            )
        self._coordinator = tf.distribute.coordinator.ClusterCoordinator(self.strategy)
        num_workers = len(task.cluster["worker"])
        self.steps_per_call = STEPS_PER_CALL * num_workers
        self._num_in_flight = BATCHES_IN_FLIGHT * num_workers
        # TensorFlow's queue fails when two threads find one error at the same time.
        self._coordinator_lock = threading.Lock()
        self._scheduled: queue.SimpleQueue = queue.SimpleQueue()
        self._finished: queue.SimpleQueue = queue.SimpleQueue()

    def start(
        self,
        step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        make_batches: Callable[[tuple[int, int]], tf.data.Dataset],
    ) -> None:
        """Set up the input and the steps.

        Args:
            step: one step, from images and labels to the loss.
            make_batches: from (0, 1), the index and the count of the processes that read, to
                endless batches of images and labels.
        """
        self._iterator = iter(make_batches((0, 1)))

        @tf.function
        def run(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            return self.strategy.run(step, args=(images, labels))

        self._run = run
        threading.Thread(target=self._fetch_all, daemon=True).start()

    def run(self, num_steps: int) -> np.ndarray:
        """Make steps, and wait until all are applied.

        Returns:
            float32 (num_steps,), the loss of each, by the order of the batches; fewer where one is
            not finite, the last.

        Raises:
            InputError: a parameter server stopped, or a step does not finish, since all workers are
                away or one hangs.
        """
        losses: list[float] = []
        try:
            for number in range(num_steps):
                if number >= self._num_in_flight:
                    losses.append(self._next_loss())
                batch = next(self._iterator)
                with self._coordinator_lock:
                    remote = self._coordinator.schedule(self._run, args=batch)
                self._scheduled.put(remote)
            while len(losses) < num_steps:
                losses.append(self._next_loss())
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            raise _lost(error) from error
        values = np.array(losses, np.float32)
        broken = ~np.isfinite(values)
        return values[: broken.argmax() + 1] if broken.any() else values

    def stop(self) -> None:
        """End the thread that waits for losses."""
        self._scheduled.put(None)

    def _next_loss(self) -> float:
        try:
            outcome = self._finished.get(timeout=self.patience)
        except queue.Empty:
            absent = absent_servers(self._servers)
            named = " and ".join(f"{name} ({self._servers[name]})" for name in absent)
            raise InputError(
                f"a step has not finished within {self.patience:g} seconds"
                + (f", and {named} cannot be reached" if absent else "")
                + "; see that the workers run, then run the same command again, it goes on from "
                "the last checkpoint"
            ) from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _fetch_all(self) -> None:
        """Wait for one loss after the other: a thread, since TensorFlow waits without end."""
        while (remote := self._scheduled.get()) is not None:
            try:
                self._finished.put(self._fetch(remote))
            except BaseException as error:
                self._finished.put(error)

    def _fetch(self, remote: tf.distribute.coordinator.RemoteValue) -> float:
        while True:
            try:
                return float(remote.fetch())
            except tf.errors.OpError:
                # A worker died while its loss was copied here, and the step is made again; for one
                # that failed, `done` raises.
                with self._coordinator_lock:
                    done = self._coordinator.done()
                if done:
                    return float(remote.fetch())
                time.sleep(0.1)


def _lost(error: tf.errors.OpError) -> InputError:
    found = re.search(r"/job:ps/replica:0/task:(\d+)", error.message)
    name = f"parameter server {found[1]}" if found else "a process of the cluster"
    return InputError(
        f"{name} stopped or cannot be reached, and the weights it held are lost; run the same "
        "command again, it goes on from the last checkpoint"
    )
