"""The part of a pretrained network that is trained: from features to scores."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

#: The smallest variance of a feature, as a share of the mean variance. A feature that is almost
#: constant in training would otherwise be enlarged without limit where it is not.
MIN_VARIANCE = 0.01


def Head(
    num_tags: int,
    mean: np.ndarray,
    variance: np.ndarray,
    hidden_units: int = 1024,
    input_dropout: float = 0.5,
    dropout: float = 0.5,
    seed: int = 0,
) -> keras.Model:
    """One hidden layer over standardized features; raw scores out.

    Args:
        num_tags: number of scores, at least 1.
        mean, variance: float (num_features,), of the features of the training images.
        hidden_units: width of the hidden layer; 0 for a linear head without one.
        input_dropout: ratio of features dropped, in [0, 1).
        dropout: ratio of hidden units dropped, in [0, 1).
        seed: seed of the initial weights and the dropout.

    Returns:
        `keras.Model`: (batch, num_features) to (batch, num_tags) float32.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> head = Head(81, mean=np.zeros(1280), variance=np.ones(1280))
        >>> head.output_shape
        (None, 81)
    """
    if num_tags < 1 or hidden_units < 0 or not (0 <= input_dropout < 1 and 0 <= dropout < 1):
        raise ValueError(
            "num_tags must be at least 1, hidden_units at least 0, input_dropout and dropout in "
            f"[0, 1); got num_tags={num_tags}, hidden_units={hidden_units}, "
            f"input_dropout={input_dropout}, dropout={dropout}"
        )
    # The last minimum is for images that are all alike.
    scale = 1.0 / np.sqrt(np.maximum(variance, max(MIN_VARIANCE * np.mean(variance), 1e-6)))
    offset = -mean * scale
    inputs = keras.Input((len(mean),), name="features")
    # Not `Normalization`, whose constants tf2onnx cannot convert.
    x = layers.Rescaling(scale.tolist(), offset.tolist(), name="standardize")(inputs)
    x = layers.Dropout(input_dropout, seed=seed, name="input_dropout")(x)
    if hidden_units:
        x = layers.Dense(
            hidden_units,
            activation="relu",
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
            name="hidden",
        )(x)
        x = layers.Dropout(dropout, seed=seed + 1, name="dropout")(x)
    scores = layers.Dense(
        num_tags,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
        dtype="float32",
        name="scores",
    )(x)
    return keras.Model(inputs, scores, name="head")


def PretrainedNetwork(
    features: keras.Model, head: keras.Model, mirrored: bool = True
) -> keras.Model:
    """A network of features with a head; pixels from 0 to 255 in, raw scores out.

    Args:
        features: the network of the features, as from `FeatureNetwork`.
        head: the network from features to scores, as from `Head`.
        mirrored: whether the scores are the mean of those of the image and of its mirror image.

    Returns:
        `keras.Model`: (batch, height, width, 3) to (batch, num_tags) float32. Its layers "features"
        and "head" are the two parts.

    Example:
        >>> from warptag.models import FeatureNetwork
        >>> features = FeatureNetwork("MobileNetV3Small", input_shape=(64, 64, 3))
        >>> model = PretrainedNetwork(features, Head(3, np.zeros(576), np.ones(576)))
        >>> model.output_shape
        (None, 3)
    """
    image = keras.Input(features.input_shape[1:], name="image")
    scores = head(features(image))
    if mirrored:
        other = head(features(ops.flip(image, axis=2)))
        scores = layers.Average(dtype="float32", name="mean_of_mirrored")([scores, other])
    return keras.Model(image, scores, name="pretrained")
