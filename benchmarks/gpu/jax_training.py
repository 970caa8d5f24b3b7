"""Training warptag's network with JAX alone: one compiled function per step or per epoch.

`warptag.training.train` needs TensorFlow also with KERAS_BACKEND=jax, since `tf.data` reads the
records. Here all images are in the memory of the GPU, and an epoch is one `jax.lax.scan`, so that
neither TensorFlow nor the CPU has a part in it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking
from warptag.models import AlexNet

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
MOMENTUM = 0.9


class State(NamedTuple):
    """What a step changes: the weights, the random states, and the velocity of the momentum."""

    weights: list[jax.Array]
    others: list[jax.Array]
    velocity: list[jax.Array]


def make_loss(loss: str) -> keras.losses.Loss:
    """The loss with an id of `warptag.methods.PAPER_LOSSES` and its default settings."""
    return {
        "softmax": MultilabelSoftmax,
        "ranking": PairwiseRanking,
        "warp": lambda: WARP(seed=0),
    }[loss]()


class Training:
    """SGD with momentum, whose compiled functions serve every seed and learning rate.

    Args:
        loss: the id of the loss.
        num_tags: the number of tags.
        crop_size: the side of the network's input, in pixels.
        architecture: further arguments of `AlexNet`.
        precision: "float32" or "bfloat16".
        clip_norm: the global norm that gradients are clipped to, or None.
    """

    def __init__(
        self,
        loss: str,
        num_tags: int,
        crop_size: int,
        architecture: dict[str, Any] | None = None,
        precision: str = "float32",
        clip_norm: float | None = None,
    ):
        self.arguments = {"num_tags": num_tags, "input_shape": (crop_size, crop_size, 3)}
        self.arguments |= architecture or {}
        self.precision, self.crop_size, self.clip_norm = precision, crop_size, clip_norm
        self.model, self.loss = self._make_model(0), make_loss(loss)
        self.step = jax.jit(self._step, donate_argnums=0)
        self.epoch = jax.jit(self._epoch, donate_argnums=0)
        self.scores = jax.jit(self._scores)

    def initial(self, seed: int) -> State:
        """The state before the first step."""
        model = self._make_model(seed)
        weights = [variable.value for variable in model.trainable_variables]
        others = [variable.value for variable in model.non_trainable_variables]
        return State(weights, others, [jnp.zeros_like(weight) for weight in weights])

    def _make_model(self, seed: int) -> keras.Model:
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(POLICIES[self.precision])
        try:
            return AlexNet(**self.arguments, seed=seed)
        finally:
            keras.config.set_dtype_policy(policy)

    def _step(self, state: State, images, labels, rate) -> tuple[State, jax.Array]:
        """One step on a batch; returns the new state and the loss."""

        def objective(weights, others):
            scores, others = self.model.stateless_call(weights, others, images, training=True)
            return self.loss(labels, scores), others

        gradient = jax.value_and_grad(objective, has_aux=True)
        (loss, others), gradients = gradient(state.weights, state.others)
        if self.clip_norm is not None:
            norm = jnp.sqrt(sum(jnp.vdot(one, one) for one in gradients))
            rate = rate * jnp.minimum(1.0, self.clip_norm / jnp.maximum(norm, 1e-12))
        pairs = zip(state.velocity, gradients, strict=True)
        velocity = [MOMENTUM * old - rate * one for old, one in pairs]
        weights = [old + one for old, one in zip(state.weights, velocity, strict=True)]
        return State(weights, others, velocity), loss

    def _epoch(self, state: State, images, labels, batches, key, rate) -> tuple[State, jax.Array]:
        """One step for each row of `batches`, which holds indices of images; returns the new state
        and the mean loss. Every image is cropped at a random position."""

        def step(state, batch_and_key):
            batch, key = batch_and_key
            crops = random_crops(images, batch, key, self.crop_size)
            return self._step(state, crops, labels[batch], rate)

        state, losses = jax.lax.scan(step, state, (batches, jax.random.split(key, len(batches))))
        return state, losses.mean()

    def _scores(self, state: State, images):
        """The scores of the centers of the images."""
        top = (images.shape[1] - self.crop_size) // 2
        crops = images[:, top : top + self.crop_size, top : top + self.crop_size]
        return self.model.stateless_call(state.weights, state.others, crops, training=False)[0]


def random_crops(images, batch, key, size: int):
    """Squares at random positions of the images with these indices."""
    places = jax.random.randint(key, (len(batch), 2), 0, images.shape[1] - size + 1)

    def crop(index, place):
        start = (index, place[0], place[1], 0)
        return jax.lax.dynamic_slice(images, start, (1, size, size, 3))[0]

    return jax.vmap(crop)(batch, places)
