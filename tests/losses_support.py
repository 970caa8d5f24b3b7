"""Tensors, gradients and compiled calls on each Keras backend, with NumPy arrays in and out."""

import keras
import numpy as np
import pytest
from keras import ops

BACKEND = keras.backend.backend()

# Keras's operations on JAX and PyTorch make float32 of float64.
FLOAT = "float64" if BACKEND == "tensorflow" else "float32"

# The kinds of compiled graphs.
GRAPHS = {"tensorflow": ["graph", "xla"], "jax": ["jit"], "torch": []}[BACKEND]

if BACKEND == "jax":
    import jax

    # Compiling takes nearly all of the time, and half of that is optimization.
    jax.config.update("jax_disable_most_optimizations", True)

# Where the mode does not matter. (JAX compiles every loop of an eager call again, for seconds.)
USUAL = "jit" if BACKEND == "jax" else "eager"

no_graph = pytest.param("eager", marks=pytest.mark.skip(reason="Keras on PyTorch compiles nothing"))
# XLA on TensorFlow, which has the strictest rules for shapes.
in_the_last_graph = pytest.mark.parametrize("mode", GRAPHS[-1:] or [no_graph])


def only_on(backend, reason):
    return pytest.mark.skipif(backend != BACKEND, reason=f"only on {backend}: {reason}")


def tensor(values, dtype=None):
    """Lists become float32 or int32; arrays keep their dtype where the backend has it."""
    array = np.asarray(values)
    if not isinstance(values, np.ndarray):
        array = array.astype({"f": "float32", "i": "int32"}.get(array.dtype.kind, array.dtype))
    if array.dtype == "float64":
        array = array.astype(FLOAT)
    if array.dtype == "int64" and BACKEND == "jax":
        array = array.astype("int32")
    return ops.convert_to_tensor(array, dtype=dtype or array.dtype.name)


def numbers(values):
    """A NumPy array, from tensors of every dtype."""
    if keras.backend.standardize_dtype(values.dtype) == "bfloat16":
        values = ops.cast(values, "float32")
    return np.asarray(ops.convert_to_numpy(values))


def compiled(function, mode):
    """The function of tensors itself ("eager"), or in the graph that `mode` names."""
    if mode == "eager":
        return function
    if BACKEND == "jax":
        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=mode == "xla")


def with_gradient(function):
    """From (labels, scores) -> values to (labels, scores) -> (values, gradient of their sum)."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        def both(labels, scores):
            with tf.GradientTape() as tape:
                tape.watch(scores)
                values = function(labels, scores)
            return values, tape.gradient(values, scores)

    elif BACKEND == "jax":

        def both(labels, scores):
            def total(scores):
                values = function(labels, scores)
                return values.sum(), values

            (_, values), gradient = jax.value_and_grad(total, has_aux=True)(scores)
            return values, gradient

    else:

        def both(labels, scores):
            scores = scores.detach().clone().requires_grad_()
            values = function(labels, scores)
            values.sum().backward()
            return values, scores.grad

    return both


def value_and_gradient(loss, labels, scores, mode=USUAL):
    """`loss.call` and the gradient of its sum with respect to the scores, from one call."""
    values, gradient = compiled(with_gradient(loss.call), mode)(tensor(labels), tensor(scores))
    return numbers(values), numbers(gradient)


def value(loss, labels, scores, mode=USUAL):
    """`loss.call`: one number per image."""
    return numbers(compiled(loss.call, mode)(tensor(labels), tensor(scores)))


def reduced(loss, labels, scores, mode=USUAL, **arguments):
    """`loss(...)` as a NumPy number or array."""
    call = compiled(lambda labels, scores: loss(labels, scores, **arguments), mode)
    return numbers(call(tensor(labels), tensor(scores)))


def assert_close(actual, expected, rtol=1e-9, atol=1e-12):
    """Equal up to the rounding of the dtype of `actual`."""
    if actual.dtype != "float64":
        rtol, atol = max(rtol, 2e-5), max(atol, 2e-6)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def fresh(loss):
    """The same loss before its first draw."""
    return type(loss).from_config(loss.get_config())


def random_batch(seed=0, num_images=16, num_tags=9, dtype=FLOAT):
    """Labels of all three kinds, and scores; some rows have no positives or no negatives."""
    generator = np.random.default_rng(seed)
    labels = generator.choice([1.0, 0.0, -1.0], (num_images, num_tags), p=[0.3, 0.5, 0.2])
    labels[0], labels[1], labels[2] = 1.0, 0.0, -1.0
    scores = generator.normal(scale=1.5, size=(num_images, num_tags))
    return labels.astype(dtype), scores.astype(dtype)


def padded_ids(labels, width, seed=0):
    """Multi-hot labels as ids in random columns of (batch, width), and -1 elsewhere."""
    generator = np.random.default_rng(seed)
    ids = np.full((len(labels), width), -1, "int32")
    for row, label in zip(ids, labels, strict=True):
        tags = np.flatnonzero(label == 1)
        row[generator.permutation(width)[: len(tags)]] = tags
    return ids
