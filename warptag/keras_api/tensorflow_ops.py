"""The operations of `keras.ops` that losses and metrics use, by TensorFlow, for Keras 2.15.

Names, arguments and results are those of `keras.ops` on its TensorFlow backend, for the types that
occur here: tensors of one dtype, and Python numbers that take it.
"""

import tensorflow as tf

abs = tf.abs
all = tf.reduce_all
any = tf.reduce_any
argsort = tf.argsort
broadcast_to = tf.broadcast_to
cast = tf.cast
clip = tf.clip_by_value
cumsum = tf.cumsum
equal = tf.equal
exp = tf.exp
expm1 = tf.math.expm1
floor = tf.floor
isnan = tf.math.is_nan
log = tf.math.log
log1p = tf.math.log1p
log_softmax = tf.nn.log_softmax
logical_and = tf.logical_and
logical_not = tf.logical_not
logical_or = tf.logical_or
logsumexp = tf.reduce_logsumexp
maximum = tf.maximum
min = tf.reduce_min
minimum = tf.minimum
ones = tf.ones
ones_like = tf.ones_like
pad = tf.pad
reshape = tf.reshape
scatter_update = tf.tensor_scatter_nd_update
segment_sum = tf.math.unsorted_segment_sum
sigmoid = tf.sigmoid
softplus = tf.math.softplus
stack = tf.stack
stop_gradient = tf.stop_gradient
sum = tf.reduce_sum
take = tf.gather
top_k = tf.math.top_k
transpose = tf.transpose
zeros = tf.zeros
zeros_like = tf.zeros_like


def arange(start, stop=None, dtype=None):
    return tf.range(start, dtype=dtype) if stop is None else tf.range(start, stop, dtype=dtype)


def argmax(x, axis=None, keepdims=False):
    places = tf.argmax(x, axis=axis, output_type="int32")
    return tf.expand_dims(places, axis) if keepdims else places


def convert_to_numpy(x):
    return x.numpy()


def convert_to_tensor(x, dtype=None):
    if tf.is_tensor(x):
        x = tf.convert_to_tensor(x)
        return x if dtype is None else tf.cast(x, dtype)
    return tf.convert_to_tensor(x, dtype)


def full(shape, fill_value, dtype=None):
    return tf.cast(tf.fill(shape, fill_value), dtype)


def max(x, axis=None, keepdims=False, initial=None):
    highest = tf.reduce_max(x, axis=axis, keepdims=keepdims)
    return highest if initial is None else tf.maximum(highest, initial)


def shape(x):
    """The sizes, as integers where they are known before the graph runs."""
    sizes = tf.shape(x)
    return tuple(sizes[axis] if size is None else size for axis, size in enumerate(x.shape))


def take_along_axis(x, indices, axis=-1):
    return tf.gather(x, indices, axis=axis, batch_dims=len(x.shape) - 1)


def where(condition, x1, x2):
    # In a graph TensorFlow takes the dtype of x1, and a Python number would be float32.
    dtype = next((x.dtype for x in (x1, x2) if tf.is_tensor(x)), None)
    return tf.where(condition, tf.convert_to_tensor(x1, dtype), tf.convert_to_tensor(x2, dtype))
