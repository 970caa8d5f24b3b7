"""What Keras does not tell about the backend it runs on."""

from __future__ import annotations

import keras


def is_concrete(tensor) -> bool:
    """Whether the tensor holds numbers now, and is no place in a graph that is being traced."""
    if keras.backend.backend() == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    if keras.backend.backend() == "torch":
        return not is_shape_only(tensor)
    return hasattr(tensor, "numpy")


def is_shape_only(tensor) -> bool:
    """Whether Keras only asks for shapes, with PyTorch tensors that never hold numbers.

    A loop or a branch over numbers cannot run on them.
    """
    return keras.backend.backend() == "torch" and tensor.device.type == "meta"


def replica() -> tuple:
    """This replica's number, an int or a tensor, and how many there are (TensorFlow's strategies).

    JAX and PyTorch run one program over whole batches or processes of their own: (0, 1).
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            return context.replica_id_in_sync_group, context.num_replicas_in_sync
    return 0, 1
