"""Random keys for the calls of a loss: repeatable, but different at every call and replica.

The backends need different sources:

- TensorFlow: a counter in a variable. The replicas of a `tf.distribute` strategy share it, so the
  replica's id is added.
- PyTorch: the counter alone.
- JAX: a traced function must not assign the counter, and Keras's JAX trainer does not keep the
  state of losses, so the scores themselves provide the number: they differ from step to step as
  long as the model learns, and are the same in a repeated run.
"""

from __future__ import annotations

import keras

from warptag.keras_api import SeedGenerator, ops, random_uniform
from warptag.keras_api.backend import is_concrete, replica


class FixedSeed(SeedGenerator):
    """A given seed, a tensor (2,), in the form that `keras.random` accepts."""

    def __init__(self, seed):
        self._seed = seed

    def next(self, ordered=True):
        return self._seed


PURPOSES = {"rank": 0, "choice": 1}


def draw_key(generator: SeedGenerator, scores):
    """A new key for `uniform`, an integer tensor (2,)."""
    if keras.backend.backend() == "jax" and not is_concrete(scores):
        return _add(ops.convert_to_tensor(generator.state), second=_checksum(scores))
    seed = generator.next()
    if keras.backend.backend() == "torch":
        # Keras adds the two numbers on PyTorch: seed 3's second call would be seed 4's first.
        seed = seed * ops.convert_to_tensor([1_640_531_527, 1], seed.dtype)
    # Far apart, because the seed's second number counts the calls.
    return _add(seed, second=replica()[0] * 1_000_003)


def uniform(like, key, purpose: str, chunk, step=0):
    """Uniform numbers in [0, 1) with the shape and dtype of a float tensor.

    Args:
        like: the float tensor.
        key: a key from `draw_key`.
        purpose: "rank" or "choice".
        chunk, step: integers or int tensors (). Each combination of purpose, chunk and step gives
            an independent stream.
    """
    # Far from the seed's first number, which the user chose and is usually small.
    first = (1 + PURPOSES[purpose] + 2 * chunk) * 15_485_863 + step * 32_452_843
    return random_uniform(ops.shape(like), dtype=like.dtype, seed=FixedSeed(_add(key, first=first)))


def _add(seed, first=0, second=0):
    """The seed with these numbers added; integers wrap around."""
    return seed + ops.stack([ops.cast(first, seed.dtype), ops.cast(second, seed.dtype)])


def _checksum(scores):
    """The bits of a weighted sum of the scores."""
    import jax

    # Distinct weights, so that exchanged columns change the sum.
    weights = ops.sin(ops.cast(ops.arange(1, scores.shape[-1] + 1), scores.dtype))
    # A mask of -inf would make the sum the same at every step.
    scores = ops.where(ops.isfinite(scores), scores, 0.0)
    total = ops.sum(scores * weights, axis=-1)
    rows = ops.cast(ops.arange(1, scores.shape[0] + 1), scores.dtype)
    return jax.lax.bitcast_convert_type(ops.cast(ops.sum(total * rows), "float32"), "uint32")
