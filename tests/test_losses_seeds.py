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
    only_on,
    random_batch,
    tensor,
    value_and_gradient,
)

from warptag.losses import WARP

every_sampling_loss = pytest.mark.parametrize("name", SAMPLED)


def steps(loss, mode="eager", num_steps=2):
    labels, scores = map(tensor, random_batch(dtype="float32"))
    call = compiled(loss.call, mode)
    return np.array([numbers(call(labels, scores)) for _ in range(num_steps)])


# Compiled calls on JAX have a test of their own.
@pytest.mark.parametrize("mode", ["eager", "graph"] if BACKEND == "tensorflow" else ["eager"])
@every_sampling_loss
def test_draws_are_fresh_at_every_call_and_repeat_with_the_seed(name, mode):
    first, same = (steps(LOSSES[name](), mode) for _ in range(2))
    (other,) = steps(LOSSES[name](seed=4), num_steps=1)
    np.testing.assert_array_equal(first, same)
    assert (first[0] != first[1]).any()
    assert (first[0] != other).any()


@only_on("jax", "a compiled call keeps no state there")
@every_sampling_loss
def test_in_jit_draws_follow_from_the_seed_and_the_scores(name):
    import jax

    labels, scores = random_batch(num_images=64, dtype="float32")
    # A mask of -inf must not make all sums of scores equal.
    labels[:, 0], scores[:, 0] = 0, -np.inf
    tiny = scores + np.float32(1e-6)

    def losses(scores, seed):
        return np.asarray(jax.jit(LOSSES[name](seed=seed).call)(labels, scores))

    first = losses(scores, 3)
    np.testing.assert_array_equal(losses(scores, 3), first)
    # Two of the 64 images differing is more than rounding does.
    assert (abs(losses(tiny, 3) - first) > 1e-3).sum() > 2
    assert (abs(losses(scores, 4) - first) > 1e-3).sum() > 2


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


@only_on("jax", "keeps no state of losses in fit")
def test_in_a_jax_fit_the_draws_differ_from_step_to_step():
    import jax

    drawn = []

    class Recorded(WARP):
        def weights(self, *arguments):
            weights = super().weights(*arguments)
            jax.debug.callback(lambda values: drawn.append(np.asarray(values)), weights)
            return weights

    generator = np.random.default_rng(0)
    images = generator.normal(size=(64, 10)).astype("float32")
    labels = (images @ generator.normal(size=(10, 8)) > 2).astype("float32")
    loss = Recorded(seed=1)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(8)])
    # Steps so small that the same negatives violate in each.
    model.compile(optimizer=keras.optimizers.SGD(1e-5), loss=loss)
    model.fit(images, labels, batch_size=64, epochs=4, verbose=0, shuffle=False)
    jax.effects_barrier()
    assert len(drawn) >= 4
    for before, after in zip(drawn[:3], drawn[1:4], strict=True):
        assert (abs(before - after) > 0.1).sum() > 10
    # Nothing of the trace remains in the loss.
    assert np.isfinite(loss.call(labels, np.zeros((64, 8), "float32"))).all()
