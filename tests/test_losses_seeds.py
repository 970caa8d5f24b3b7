"""The draws of WARP: fresh at every call, the same from one seed, independent of each other."""

import keras
import numpy as np
import pytest
from losses_cases import LOSSES, SAMPLED
from losses_references import harmonic
from losses_support import (
    BACKEND,
    compiled,
    numbers,
    random_batch,
    tensor,
    value_and_gradient,
)

from warptag.losses import WARP


def steps(loss, mode="eager", num_steps=2):
    labels, scores = map(tensor, random_batch(dtype="float32"))
    call = compiled(loss.call, mode)
    return np.array([numbers(call(labels, scores)) for _ in range(num_steps)])


# Compiled calls on JAX have a test of their own, in test_losses_keras.py.
@pytest.mark.parametrize("mode", ["eager", "graph"] if BACKEND == "tensorflow" else ["eager"])
@pytest.mark.parametrize("name", SAMPLED)
def test_draws_are_fresh_at_every_call_and_repeat_with_the_seed(name, mode):
    first, same = (steps(LOSSES[name](), mode) for _ in range(2))
    (other,) = steps(LOSSES[name](seed=4), num_steps=1)
    np.testing.assert_array_equal(first, same)
    assert (first[0] != first[1]).any()
    assert (first[0] != other).any()


def test_no_seed_follows_the_global_one():
    def draw(seed):
        keras.utils.set_random_seed(seed)
        return steps(WARP())

    first = draw(1)
    np.testing.assert_array_equal(draw(1), first)
    assert (draw(2) != first).any()


def sampled_weights(num_images, num_positives, loss, calls=1):
    """L(r) of every positive: 19 or more negatives of which 6 violate all of the positives."""
    labels = np.zeros((num_images, 40), "float32")
    labels[:, :num_positives] = 1
    scores = np.where(labels == 1, 0, -9).astype("float32")
    scores[:, 34:] = 0.5
    both = [value_and_gradient(loss, labels, scores, "eager")[1] for _ in range(calls)]
    return np.array(both)[..., :num_positives] / -6


@pytest.mark.parametrize("rank", ["sampled", "loop"])
def test_positives_draw_independently_however_many_there_are(rank):
    """The 20 positives are two chunks: none may draw what the other chunk drew."""
    weights = sampled_weights(400, 20, WARP(rank=rank, normalization="none", seed=2))[0]
    assert weights.max() == pytest.approx(harmonic(39), rel=1e-4) and weights.std() > 0.5
    together = np.corrcoef(weights.T) - np.eye(20)
    assert abs(together).max() < 5 / np.sqrt(400)


@pytest.mark.skipif(BACKEND == "jax", reason="there a gradient's draws follow from the scores")
def test_calls_and_seeds_draw_independently():
    """Seeds and calls both count up, so they must not be added."""
    first = sampled_weights(400, 8, WARP(normalization="none", seed=2), calls=3)
    second = sampled_weights(400, 8, WARP(normalization="none", seed=3), calls=3)
    together = np.corrcoef(np.concatenate([first, second]).reshape(6, -1)) - np.eye(6)
    assert abs(together).max() < 5 / np.sqrt(3200)
