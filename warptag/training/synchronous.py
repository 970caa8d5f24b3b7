"""Synchronous training: one CPU, one or several GPUs, or several machines, by `strategy.run`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

#: Calls into TensorFlow cost time, so one makes several steps. Progress is shown after each.
STEPS_PER_CALL = 8


class Synchronous:
    """Runs the steps of a strategy whose replicas share each batch.

    Args:
        strategy: the default one, `MirroredStrategy` or `MultiWorkerMirroredStrategy`.
        jit_compile: whether to compile the step with XLA.

    Attributes:
        strategy: in whose scope model and step are made.
        num_replicas: how many replicas share one batch.
        steps_per_call: how many steps `run` is best asked for.
        counts_exactly: whether the optimizer's count of the steps is exact.
    """

    counts_exactly = True

    def __init__(self, strategy: tf.distribute.Strategy, jit_compile: bool = False):
        self.strategy, self.jit_compile = strategy, jit_compile
        self.num_replicas = strategy.num_replicas_in_sync
        self.steps_per_call = STEPS_PER_CALL

    def start(
        self,
        step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        make_batches: Callable[[tuple[int, int]], tf.data.Dataset],
    ) -> None:
        """Set up the input and the steps.

        Args:
            step: one step of one replica, from images and labels to its share of the loss.
            make_batches: from (index, count) of a worker to its share of every batch.
        """
        self._iterator = iter(
            self.strategy.distribute_datasets_from_function(
                lambda context: _for_each_replica(
                    make_batches((context.input_pipeline_id, context.num_input_pipelines)),
                    context.num_replicas_in_sync // context.num_input_pipelines,
                )
            )
        )
        strategy, iterator = self.strategy, self._iterator
        if self.jit_compile:
            step = tf.function(step, jit_compile=True)

        @tf.function
        def run(num_steps: tf.Tensor) -> tf.Tensor:
            def one_step(i, losses, _):
                shares = strategy.run(step, args=next(iterator))
                loss = strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)
                return i + 1, losses.write(i, loss), tf.math.is_finite(loss)

            start = (
                tf.constant(0),
                tf.TensorArray(tf.float32, num_steps, element_shape=()),
                tf.constant(True),
            )
            done, losses, _ = tf.while_loop(
                lambda i, losses, finite: finite & (i < num_steps),
                one_step,
                start,
                parallel_iterations=1,
            )
            return losses.stack()[:done]

        self._run = run

    def run(self, num_steps: int) -> np.ndarray:
        """Make steps.

        Returns:
            float32 (num_steps,), the loss of each; fewer where one is not finite, the last.
        """
        return self._run(tf.constant(num_steps)).numpy()

    def stop(self) -> None:
        """Nothing runs between two calls."""


def _for_each_replica(batches: tf.data.Dataset, num_replicas: int) -> tf.data.Dataset:
    """Each batch as one smaller batch for each local replica, in order."""
    if num_replicas == 1:
        return batches

    def split(*parts):
        size = parts[0].shape[0] // num_replicas
        shares = [tf.reshape(part, (num_replicas, size, *part.shape[1:])) for part in parts]
        return tf.data.Dataset.from_tensor_slices(tuple(shares))

    return batches.flat_map(split)
