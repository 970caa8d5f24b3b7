"""Base classes and random numbers with the interface of Keras 3, for Keras 2.15."""

from __future__ import annotations

import keras
import tensorflow as tf

from warptag.keras_api.tensorflow_ops import convert_to_tensor


class Loss(keras.losses.Loss):
    """`keras.losses.Loss` with a dtype."""

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        super().__init__(reduction="none" if reduction is None else reduction, name=name)
        self.dtype = standardize_dtype(keras.backend.floatx() if dtype is None else dtype)

    # Keras 3 does not apply autograph to losses either.
    @tf.autograph.experimental.do_not_convert
    def __call__(self, y_true, y_pred, sample_weight=None):
        y_true = convert_to_tensor(y_true, self.dtype)
        y_pred = convert_to_tensor(y_pred, self.dtype)
        return tf.cast(super().__call__(y_true, y_pred, sample_weight), self.dtype)


class Metric(keras.metrics.Metric):
    """`keras.metrics.Metric` with state of any shape.

    Without autograph, which Keras 2 applies to metrics even outside of graphs.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in {"update_state", "result"} & vars(cls).keys():
            setattr(cls, name, tf.autograph.experimental.do_not_convert(vars(cls)[name]))

    def reset_state(self):
        for variable in self.variables:
            variable.assign(tf.zeros_like(variable))


class SeedGenerator:
    """A seed and the number of calls so far, as an integer tensor (2,)."""

    def __init__(self, seed: int):
        self.state = tf.Variable([seed, 0], dtype="int64", trainable=False)

    def next(self):
        seed = tf.identity(self.state)
        self.state.assign_add([0, 1])
        return seed


def random_uniform(shape, dtype, seed: SeedGenerator):
    """Uniform numbers in [0, 1); one seed gives those of Keras 3 on TensorFlow."""
    seed = tf.cast(tf.math.floormod(seed.next(), tf.int32.max - 1), "int32")
    return tf.random.stateless_uniform(shape, seed, dtype=dtype)


def result_type(*dtypes) -> str:
    """The widest of these floating-point dtypes, at least float32."""
    return "float64" if "float64" in map(standardize_dtype, dtypes) else "float32"


def standardize_dtype(dtype) -> str:
    return tf.as_dtype(dtype).name


def value_of(variable):
    return tf.convert_to_tensor(variable)
