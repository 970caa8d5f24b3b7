"""The AlexNet-like network of the paper, as a Keras functional model with linear scores."""

from __future__ import annotations

import math

import keras
from keras import layers

FILTERS = (96, 256, 384, 384, 256)
KERNEL_SIZES = (11, 9, 5, 5, 5)
POOLED = (True, True, False, False, True)


def AlexNet(
    num_tags: int,
    input_shape: tuple[int, int, int] = (220, 220, 3),
    width: float = 1.0,
    dense_units: int = 4096,
    first_stride: int = 4,
    dropout: float = 0.6,
    seed: int = 0,
) -> keras.Model:
    """Five convolutional and three dense layers; pixels from 0 to 255 in, raw scores out.

    The paper gives filter sizes 11, 9, 5, dense width 4096, dropout 0.6 and ReLU. This is read as
    11 (stride 4) - pool - 9 - pool - 5 - 5 - 5 - pool - 4096 - 4096 - tags with AlexNet's filter
    counts. Where the paper is silent we use "same" padding, 3 x 3 pools of stride 2, He
    initialization and no response normalization.

    Source: Gong et al., arXiv 1312.4894, section 4; Krizhevsky et al., NeurIPS 2012.

    Args:
        num_tags: number of scores, at least 1.
        input_shape: (height, width, channels) of the crops, with pixels from 0 to 255.
        width: factor for AlexNet's filter counts 96, 256, 384, 384, 256, above 0.
        dense_units: width of the two hidden dense layers, at least 1.
        first_stride: stride of the first convolution; 4 in AlexNet, less for small inputs.
        dropout: ratio of units dropped after each hidden dense layer, in [0, 1).
        seed: seed of the initial weights and the dropout.

    Returns:
        `keras.Model`: (batch, height, width, channels) to (batch, num_tags) float32.

    Raises:
        ValueError: if a number is out of range or the input is too small for the pools.

    Example:
        >>> model = AlexNet(81, input_shape=(56, 56, 3), width=0.125, dense_units=64)
        >>> model.output_shape
        (None, 81)
    """
    if (
        num_tags < 1
        or not 0 < width < math.inf
        or dense_units < 1
        or first_stride < 1
        or not 0 <= dropout < 1
    ):
        raise ValueError(
            "num_tags, dense_units and first_stride must be at least 1, width positive and dropout "
            f"in [0, 1); got num_tags={num_tags}, dense_units={dense_units}, "
            f"first_stride={first_stride}, width={width}, dropout={dropout}"
        )
    min_size = 8 * first_stride
    if len(input_shape) != 3 or min(input_shape[:2]) < min_size:
        raise ValueError(
            f"input_shape must be (height, width, channels) of at least {min_size} x {min_size} "
            f"pixels for first_stride={first_stride}, got {tuple(input_shape)}"
        )
    seeds = iter(range(seed * 100, seed * 100 + 100))

    def initializer():
        return keras.initializers.HeNormal(seed=next(seeds))

    inputs = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(inputs)
    for i, (filters, kernel_size, pooled) in enumerate(
        zip(FILTERS, KERNEL_SIZES, POOLED, strict=True), start=1
    ):
        x = layers.Conv2D(
            max(1, round(filters * width)),
            kernel_size,
            strides=first_stride if i == 1 else 1,
            padding="same",
            activation="relu",
            kernel_initializer=initializer(),
            name=f"conv{i}",
        )(x)
        if pooled:
            x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    for i in (6, 7):
        x = layers.Dense(
            dense_units, activation="relu", kernel_initializer=initializer(), name=f"dense{i}"
        )(x)
        x = layers.Dropout(dropout, seed=next(seeds), name=f"dropout{i}")(x)
    scores = layers.Dense(
        num_tags,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds)),
        dtype="float32",
        name="scores",
    )(x)
    return keras.Model(inputs, scores, name="alexnet")
