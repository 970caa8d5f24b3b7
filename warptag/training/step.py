"""The one training step of every strategy: scores, loss, gradients, update."""

from __future__ import annotations

import keras
import tensorflow as tf

from warptag.training.schedule import learning_rate, weight_decay
from warptag.training.settings import TrainingSettings

PRECISIONS = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


class TrainingStep:
    """One step of one replica, called inside `strategy.run` or on a worker.

    Made in the scope of the strategy, as its variables are.

    Args:
        model: the network, from uint8 images to scores.
        settings: of the run.
        steps_per_epoch: what the schedules count epochs by.
        num_replicas: how many replicas share one batch.

    Attributes:
        optimizer: its `iterations` count the steps.
        loss: its draws come from the state of its seed generator.
        statistics: what the model gathers beside its weights; the draws of dropout are integers.
    """

    def __init__(
        self,
        model: keras.Model,
        settings: TrainingSettings,
        steps_per_epoch: int,
        num_replicas: int = 1,
    ):
        self.model, self.num_replicas = model, num_replicas
        self.batch_size, self.clips = settings.batch_size, settings.clip_norm is not None
        self.loss = settings.make_loss()
        self.statistics = [
            variable
            for variable in model.non_trainable_variables
            if variable.dtype.startswith("float")
        ]
        self.weight_decay = weight_decay(settings, steps_per_epoch)
        # Several replicas clip their share of the summed gradient, see __call__.
        clip = None if settings.clip_norm is None else settings.clip_norm / num_replicas
        self.sgd = keras.optimizers.SGD(
            learning_rate(settings, steps_per_epoch),
            momentum=settings.momentum,
            global_clipnorm=clip,
        )
        self.optimizer = self.sgd
        if settings.precision == "float16":
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.sgd)
        self.optimizer.build(model.trainable_variables)

    def __call__(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Updates the weights.

        Args:
            images: uint8 (batch of the replica, height, width, 3).
            labels: float32 (batch of the replica, num_tags).

        Returns:
            float32 (), this replica's share of the mean loss of the batch. Where it is not
            finite, the gradients count as 0.
        """
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            scores = self.model(images, training=True)
            loss = tf.reduce_sum(self.loss.call(labels, scores)) / self.batch_size
            objective = self.optimizer.scale_loss(loss + self._penalty())
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        # The weights that the loss broke with stay, to be looked at.
        finite = tf.math.is_finite(loss)
        gradients = [tf.where(finite, gradient, 0.0) for gradient in gradients]
        if self.num_replicas > 1 and (self.clips or self.optimizer is not self.sgd):
            # The norm to clip, and whether a scaled loss overflowed, are of the whole batch's
            # gradient; Keras's optimizers sum over replicas only after they look.
            context = tf.distribute.get_replica_context()
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            gradients = [gradient / self.num_replicas for gradient in summed]
        self.optimizer.apply(gradients, variables)
        if self.num_replicas > 1 and self.statistics:
            self._average_statistics()
        return loss

    def _average_statistics(self) -> None:
        """Moving statistics, such as batch normalization's, are of the whole batch.

        Keras leaves each replica its own. Machines that score by their own would disagree about
        the epoch at which to stop.
        """
        context = tf.distribute.get_replica_context()
        # Identities are made where the replica runs; a value that is of no device cannot be sent.
        values = [tf.identity(variable.value) for variable in self.statistics]
        sums = context.all_reduce(tf.distribute.ReduceOp.SUM, values)
        for variable, total in zip(self.statistics, sums, strict=True):
            variable.assign(total / self.num_replicas)

    def _penalty(self) -> tf.Tensor | float:
        """This replica's share of the weight decay's penalty."""
        coefficient = self.weight_decay
        if coefficient == 0:
            return 0.0
        if callable(coefficient):
            coefficient = coefficient(self.sgd.iterations)
        squares = [tf.nn.l2_loss(variable.value) for variable in self.model.trainable_variables]
        return coefficient / self.num_replicas * tf.add_n(squares)

    @property
    def state(self) -> list[keras.Variable]:
        """Every variable that later steps depend on: weights, momentum, draws, step counts."""
        generator = getattr(self.loss, "seed_generator", None)
        draws = [] if generator is None else [generator.state]
        return [*self.model.variables, *self.optimizer.variables, *draws]

    @property
    def current_learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.sgd.learning_rate))

    def set_count(self, num_steps: int) -> None:
        """The steps made so far, where workers that count at the same time lose some."""
        self.sgd.iterations.assign(num_steps)

    def set_learning_rate(self, rate: float) -> None:
        """For the plateau; a staircase sets it by itself."""
        self.sgd.learning_rate = rate
