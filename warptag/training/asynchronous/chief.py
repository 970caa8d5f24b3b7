"""The chief of a cluster, which sends batches to the workers and calls the callbacks."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.pool import ThreadPool
from typing import Any

import keras
import tensorflow as tf

from tfrecords_tools.errors import InputError
from warptag.training.asynchronous.cluster import ClusterTask, answers, require_free_port


class Chief:
    """Coordinates asynchronous training: workers update shared weights without waiting.

    Parameter servers store the weights. A worker reads them, computes a gradient and applies it,
    whatever the others have applied in the meantime. Only this process reads records. If a worker
    dies, another one repeats its step.

    Args:
        task: the task of this process, a chief.
        patience: the time in seconds within which all processes must answer, and within which each
            step must finish.

    Attributes:
        strategy: the strategy in whose scope to make and compile the model. Variables and datasets
            that were made before the chief are lost.

    Raises:
        InputError: a process does not answer, another process listens on the port of the chief, or
            a worker sees several GPUs.
    """

    def __init__(self, task: ClusterTask, patience: float = 300.0):
        self.task, self.patience = task, patience
        require_free_port(task)
        # TensorFlow itself would wait forever.
        deadline = time.monotonic() + patience
        while not all(answers(server.address) for server in task.servers):
            if time.monotonic() > deadline:
                raise self._failure(f"not all processes answered within {patience:g} seconds")
            time.sleep(0.2)
        # TensorFlow logs many lines about each missing worker, and about the chief's evaluation.
        logging.getLogger("tensorflow").setLevel(logging.CRITICAL)
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(task.cluster), task_type="chief", task_id=0, rpc_layer="grpc"
        )
        self.strategy = tf.distribute.ParameterServerStrategy(resolver)
        if self.strategy.num_replicas_in_sync > 1:
            raise InputError(
                "a worker sees several GPUs; start one worker per GPU, with CUDA_VISIBLE_DEVICES"
            )
        self._coordinator = tf.distribute.coordinator.ClusterCoordinator(self.strategy)
        self._thread = ThreadPool(1)

    def fit(
        self,
        model: keras.Model,
        batches: tf.data.Dataset,
        *,
        epochs: int,
        steps_per_epoch: int,
        evaluate: Callable[[], dict[str, float]],
        callbacks: list[keras.callbacks.Callback],
        initial_epoch: int = 0,
    ) -> None:
        """Trains like `model.fit`, which fails with parameter servers (Keras issue 18624).

        Args:
            model: the model, compiled in the scope of `strategy`. Its metrics are not computed.
            batches: an endless dataset of images, uint8 (batch, height, width, 3), and labels,
                float32 (batch, num_tags).
            epochs, steps_per_epoch, initial_epoch: integers, as in `model.fit`.
            evaluate: a function that returns the metrics by name; it is called at the end of each
                epoch, and callbacks receive the metrics with the prefix "val_".
            callbacks: the Keras callbacks, called after finished steps and epochs. Their "loss" is
                the mean over the epoch so far.

        Raises:
            InputError: a parameter server stopped, or a step did not finish within `patience`.
        """
        if not model.optimizer.built:
            with self.strategy.scope():
                model.optimizer.build(model.trainable_variables)
        step, iterator = self._make_step(model, batches), iter(batches)
        listeners = keras.callbacks.CallbackList(
            callbacks, model=model, epochs=epochs, steps=steps_per_epoch
        )
        model.stop_training = False
        try:
            listeners.on_train_begin()
            num_finished = int(model.optimizer.iterations)
            for epoch in range(initial_epoch, epochs):
                listeners.on_epoch_begin(epoch)
                losses, total = self._losses(step, iterator, steps_per_epoch), 0.0
                for index in range(steps_per_epoch):
                    listeners.on_train_batch_begin(index)
                    total += self._call(next, losses)
                    # Workers that increment it at the same time lose some steps.
                    num_finished += 1
                    self._call(model.optimizer.iterations.assign, num_finished)
                    logs = {"loss": total / (index + 1)}
                    listeners.on_train_batch_end(index, logs)
                    if model.stop_training:
                        break
                self._call(self._coordinator.join)
                metrics = {f"val_{name}": value for name, value in evaluate().items()}
                listeners.on_epoch_end(epoch, logs | metrics)
                if model.stop_training:
                    break
            listeners.on_train_end()
        except multiprocessing.TimeoutError as error:
            what = f"a step did not finish within {self.patience:g} seconds"
            raise self._failure(what) from error
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            raise self._failure("its weights are lost", types=("ps",)) from error

    def _make_step(self, model: keras.Model, batches: tf.data.Dataset) -> Callable:
        """The step of a worker, from one batch to its loss."""

        def update(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                scores = model(images, training=True)
                loss = model.compute_loss(y=labels, y_pred=scores)
                objective = model.optimizer.scale_loss(loss)
            weights = model.trainable_weights
            model.optimizer.apply(tape.gradient(objective, weights), weights)
            return loss

        step = tf.function(lambda *batch: self.strategy.run(update, args=batch))
        return step.get_concrete_function(*batches.element_spec)

    def _call(self, function: Callable, *arguments: Any) -> Any:
        # In a thread, since TensorFlow may wait forever. The calling thread waits for it, since
        # TensorFlow's queue of steps fails if two threads find the same error at once.
        return self._thread.apply_async(function, arguments).get(self.patience)

    def _losses(self, step: Callable, batches: Iterator, num_steps: int) -> Iterator[float]:
        """The losses of steps. Later steps are scheduled ahead, so that workers need not wait."""
        scheduled: deque = deque()
        for num_left in range(num_steps, 0, -1):
            while len(scheduled) < min(num_left, 3 * len(self.task.cluster["worker"])):
                scheduled.append(self._coordinator.schedule(step, next(batches)))
            yield self._fetch(scheduled.popleft())

    def _fetch(self, loss: tf.distribute.coordinator.RemoteValue) -> float:
        # If a worker dies while its loss is copied here, another one repeats the step. `done`
        # raises the error of a failed step.
        while not self._coordinator.done():
            with suppress(tf.errors.OpError):
                return float(loss.fetch())
            time.sleep(0.1)
        return float(loss.fetch())

    def _failure(self, what: str, types: tuple[str, ...] = ("worker", "ps")) -> InputError:
        servers = [server for server in self.task.servers if server.type in types]
        absent = [f"{s.name} ({s.address})" for s in servers if not answers(s.address)]
        return InputError(
            f"{' and '.join(absent) or 'a process of the cluster'} cannot be reached; {what}. "
            "The same command resumes from the last checkpoint"
        )
