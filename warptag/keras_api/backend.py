"""What Keras does not offer of its backends."""

from __future__ import annotations

import keras


def is_concrete(tensor) -> bool:
    """Whether the tensor has values (is not symbolic)."""
    if keras.backend.backend() == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    if keras.backend.backend() == "torch":
        return not is_meta(tensor)
    return hasattr(tensor, "numpy")


def is_meta(tensor) -> bool:
    """Whether this is a PyTorch tensor without values, with which Keras infers shapes.

    Loops and branches that depend on values cannot run on it.
    """
    return keras.backend.backend() == "torch" and tensor.device.type == "meta"


def while_loop(condition, body, state):
    """`keras.ops.while_loop`, with one iteration in memory at a time.

    By default, TensorFlow starts up to ten iterations at once, each with tables of its own.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.while_loop(condition, body, state, parallel_iterations=1)
    return keras.ops.while_loop(condition, body, state)


def replica() -> tuple:
    """The id of this replica (int or tensor) and the number of replicas (int).

    Only TensorFlow's strategies have replicas; elsewhere the result is (0, 1).
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            return context.replica_id_in_sync_group, context.num_replicas_in_sync
    return 0, 1
