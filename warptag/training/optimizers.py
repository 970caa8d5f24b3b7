"""Optimizers that consider the gradient of the whole batch, also on several replicas."""

from __future__ import annotations

import keras
from keras import ops


def _num_replicas() -> int:
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _over_replicas(gradients: list, operation: str) -> list:
    """The sum or mean of the gradients over all replicas; unchanged on a single replica.

    The gradient of a replica is that of its share of the loss, so the sum is that of the batch.
    """
    if _num_replicas() == 1:
        return gradients
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp[operation], gradients)


@keras.saving.register_keras_serializable("warptag")
class SGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD` with two differences.

    - On several replicas, `global_clipnorm` and the like clip the gradient of the whole batch.
      Keras clips each replica's share before it sums them.
    - A gradient that is not finite is replaced by zeros, so that the weights stay finite and can
      be examined. `first_skipped` is the number of the first such step, counted from 1; 0 if
      there is none.

    Args:
        **kwargs: the arguments of `keras.optimizers.SGD`.

    Example:
        >>> optimizer = SGD(learning_rate=0.01, momentum=0.9, global_clipnorm=5.0)
    """

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.first_skipped = self.add_variable(
            (), dtype="int32", aggregation="only_first_replica", name="first_skipped"
        )

    def _clip_gradients(self, gradients):
        whole = _over_replicas(gradients, "SUM")
        norm = ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(g)) for g in whole])))
        finite = ops.isfinite(norm)
        first_skipped = ops.convert_to_tensor(self.first_skipped)
        known = ops.logical_or(finite, first_skipped > 0)
        step = ops.cast(self.iterations, "int32") + 1
        self.assign(self.first_skipped, ops.where(known, first_skipped, step))
        clipped = super()._clip_gradients(whole)
        # Keras sums over the replicas afterwards.
        return [ops.where(finite, g, 0.0) / _num_replicas() for g in clipped]


@keras.saving.register_keras_serializable("warptag")
class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """`keras.optimizers.LossScaleOptimizer` whose replicas agree on whether a step overflowed."""

    def apply(self, grads, trainable_variables=None):
        super().apply(_over_replicas(list(grads), "MEAN"), trainable_variables)
