"""Random keys for one call of a loss: fresh every step, repeatable, different on each replica.

Each backend needs its own way to them:

- TensorFlow: a counter in a variable. Replicas of a `tf.distribute` strategy read one counter, so
  the replica's number is mixed in.
- PyTorch: the counter alone; nothing is traced.
- JAX: a traced function must not assign the counter, and Keras's JAX trainer keeps no state of
  losses, so there the scores themselves are mixed in: they differ from step to step, as long as
  the model learns, and are the same in a repeated run.
"""

from __future__ import annotations

import keras
from keras import ops

from warptag.backends import is_concrete, replica


class FixedSeed(keras.random.SeedGenerator):
    """Hands out one given seed, a tensor (2,); `keras.random` takes no bare tensors."""

    def __init__(self, seed):
        self._seed = seed

    def next(self, ordered=True):
        return self._seed


def draw_keys(generator: keras.random.SeedGenerator, scores, num_keys: int) -> list:
    """num_keys independent keys, each an integer tensor (2,) for `uniform`."""
    if keras.backend.backend() == "jax" and not is_concrete(scores):
        seed = _mix(ops.convert_to_tensor(generator.state), _checksum(scores))
    else:
        seed = generator.next()
    # Far apart, for the seed's second number counts the calls.
    seed = _mix(seed, replica()[0] * 1_000_003)
    numbers = keras.random.randint((num_keys, 2), 0, 2**31 - 1, seed=FixedSeed(seed))
    numbers = ops.cast(numbers, generator.state.dtype)
    return [numbers[i] for i in range(num_keys)]


def uniform(like, key, step=0):
    """Numbers from [0, 1) in the shape and dtype of a tensor; other ones at every step."""
    return keras.random.uniform(ops.shape(like), dtype=like.dtype, seed=FixedSeed(_mix(key, step)))


def _mix(seed, number):
    return seed + ops.stack([ops.zeros((), seed.dtype), ops.cast(number, seed.dtype)])


def _checksum(scores):
    """The bits of an uneven sum of the scores."""
    import jax

    # No weight is 0 and no two are alike, or columns that swap would not show.
    weights = ops.sin(ops.cast(ops.arange(1, scores.shape[-1] + 1), scores.dtype))
    total = ops.sum(scores * weights, axis=-1)
    rows = ops.cast(ops.arange(1, scores.shape[0] + 1), scores.dtype)
    return jax.lax.bitcast_convert_type(ops.cast(ops.sum(total * rows), "float32"), "uint32")
