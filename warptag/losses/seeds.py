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

from warptag.backends import is_concrete, replica
from warptag.keras_api import SeedGenerator, ops, random_uniform


class FixedSeed(SeedGenerator):
    """Hands out one given seed, a tensor (2,); `keras.random` takes no bare tensors."""

    def __init__(self, seed):
        self._seed = seed

    def next(self, ordered=True):
        return self._seed


# The uses of one call's key.
PURPOSES = {"rank": 0, "choice": 1}


def draw_key(generator: SeedGenerator, scores):
    """A key for `uniform`, an integer tensor (2,): another one at every call."""
    if keras.backend.backend() == "jax" and not is_concrete(scores):
        return _mix(ops.convert_to_tensor(generator.state), second=_checksum(scores))
    seed = generator.next()
    if keras.backend.backend() == "torch":
        # Keras adds the two numbers there, so that seed 3's second call would be seed 4's first.
        seed = seed * ops.convert_to_tensor([1_640_531_527, 1], seed.dtype)
    # Far apart, for the seed's second number counts the calls.
    return _mix(seed, second=replica()[0] * 1_000_003)


def uniform(like, key, purpose: str, part, step=0):
    """Numbers from [0, 1) in the shape and dtype of a tensor.

    Args:
        like: float tensor.
        key: of `draw_key`.
        purpose: "rank" or "choice"; part, step: integers or tensors (). Other numbers for each.
    """
    # The seed's first number is the user's, small ones as a rule; the uses go far away from it.
    first = (1 + PURPOSES[purpose] + 2 * part) * 15_485_863 + step * 32_452_843
    return random_uniform(ops.shape(like), dtype=like.dtype, seed=FixedSeed(_mix(key, first=first)))


def _mix(seed, first=0, second=0):
    """The seed with numbers added; integers wrap around."""
    return seed + ops.stack([ops.cast(first, seed.dtype), ops.cast(second, seed.dtype)])


def _checksum(scores):
    """The bits of an uneven sum of the scores."""
    import jax

    # No weight is 0 and no two are alike, or columns that swap would not show.
    weights = ops.sin(ops.cast(ops.arange(1, scores.shape[-1] + 1), scores.dtype))
    # A mask of -inf would leave one and the same sum at every step.
    scores = ops.where(ops.isfinite(scores), scores, 0.0)
    total = ops.sum(scores * weights, axis=-1)
    rows = ops.cast(ops.arange(1, scores.shape[0] + 1), scores.dtype)
    return jax.lax.bitcast_convert_type(ops.cast(ops.sum(total * rows), "float32"), "uint32")
