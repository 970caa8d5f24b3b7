"""Networks of `keras.applications` with the same head as the paper's: one linear score a tag."""

from __future__ import annotations

import difflib
import inspect
import random
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from tfrecords_tools.errors import InputError

#: Of the pixels of ImageNet, from 0 to 1.
IMAGENET_DEVIATIONS = (0.229, 0.224, 0.225)


def backbone_names() -> list[str]:
    """The names that `Backbone` takes: the networks of the installed `keras.applications`.

    Returns:
        Names in alphabetical order.

    Example:
        >>> "MobileNetV2" in backbone_names()
        True
    """
    return sorted(name for name, _ in inspect.getmembers(keras.applications, inspect.isfunction))


def check_backbone_name(name: str) -> None:
    """Raises InputError, with the names that come close, unless it is one of `backbone_names`.

    Example:
        >>> check_backbone_name("ResNet50")
    """
    names = backbone_names()
    if name in names:
        return
    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3)
    hint = (
        f"did you mean {' or '.join(by_lower[match] for match in close)}?"
        if close
        else f"there are {', '.join(names)}"
    )
    raise InputError(f"keras.applications has no network {name!r}; {hint}")


def preprocessing_of(name: str) -> Callable:
    """What `keras.applications` does to pixels before they enter the network of this name.

    Families whose networks begin with their preprocessing have one here that changes nothing.
    """
    return sys.modules[getattr(keras.applications, name).__module__].preprocess_input


def Backbone(
    name: str,
    num_tags: int,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    weights: str | Path | None = None,
    dropout: float = 0.2,
    seed: int = 0,
) -> keras.Model:
    """A network of `keras.applications`; pixels from 0 to 255 in, raw scores out.

    The network's own preprocessing, the network without its classifier, the mean over all places,
    dropout, and the linear layer that `AlexNet` ends with. All weights are trained.

    Args:
        name: one of `backbone_names`.
        num_tags: number of scores, at least 1.
        input_shape: (height, width, 3) of the crops, pixels from 0 to 255.
        weights: None, random ones; "imagenet", those that Keras downloads; or a file of weights of
            the network without its classifier: Keras's `*_notop.h5` or a `.weights.h5`.
        dropout: ratio dropped before the scores, in [0, 1).
        seed: seed of the initial weights and of the dropout.

    Returns:
        `keras.Model`: (batch, height, width, 3) to (batch, num_tags) float32.

    Raises:
        ValueError: a number is out of range, or the input is too small for the network.
        InputError: the name is unknown, or the weights cannot be downloaded, read or used.

    Example:
        >>> model = Backbone("MobileNetV3Small", 81, input_shape=(64, 64, 3))
        >>> model.output_shape
        (None, 81)
    """
    check_backbone_name(name)
    if num_tags < 1 or not 0 <= dropout < 1:
        raise ValueError(
            "num_tags must be at least 1 and dropout in [0, 1); got "
            f"num_tags={num_tags}, dropout={dropout}"
        )
    # Keras draws the seed of every initializer and dropout inside the network from here.
    state = random.getstate()
    random.seed(seed)
    try:
        inputs = keras.Input(input_shape, name="image")
        features = _features(name, inputs, weights)
        x = layers.Dropout(dropout, seed=seed, name="dropout")(features.output)
        scores = layers.Dense(
            num_tags,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
            dtype="float32",
            name="scores",
        )(x)
    finally:
        random.setstate(state)
    return keras.Model(inputs, scores, name=name.lower())


def _features(name: str, inputs: keras.KerasTensor, weights: str | Path | None) -> keras.Model:
    """The network from pixels to the mean over all places, with its weights."""
    application = getattr(keras.applications, name)

    def make(weights: str | None) -> keras.Model:
        return application(
            include_top=False,
            weights=weights,
            input_tensor=preprocessing_of(name)(inputs),
            input_shape=inputs.shape[1:],
            pooling="avg",
        )

    try:
        features = _with_imagenet(name, make) if weights == "imagenet" else make(None)
    except ValueError as error:
        smallest = re.search(r"size must be at least (\d+)x", str(error))
        if smallest is None:
            raise
        height, width = inputs.shape[1:3]
        raise ValueError(
            f"{name} takes crops of at least {smallest[1]} pixels a side, got {height} x {width}; "
            "choose a larger crop_size"
        ) from None
    if weights not in (None, "imagenet"):
        _load(features, name, Path(weights))
    return features


def _with_imagenet(name: str, make: Callable[[str], keras.Model]) -> keras.Model:
    try:
        with warnings.catch_warnings():
            # MobileNet's, which has weights for some sizes only, that it takes those for 224.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
            return make("imagenet")
    except ValueError:
        raise
    # Keras raises a bare Exception where the address cannot be reached.
    except Exception as error:
        raise InputError(
            f"the ImageNet weights of {name} cannot be downloaded ({_first_line(error)}); fetch "
            "them where there is a network, and give the file instead of imagenet"
        ) from error


def _load(features: keras.Model, name: str, path: Path) -> None:
    try:
        features.load_weights(path)
    # Keras raises all kinds for a wrong file.
    except Exception as error:
        raise InputError(
            f"{path} cannot be used as the weights of {name} ({_first_line(error)}); expected "
            "those of the same network without its classifier (include_top=False), in a "
            "*_notop.h5 or .weights.h5 file of Keras"
        ) from error
    for layer in features.layers:
        # Keras's files of EfficientNet's weights hold deviations in the place of variances, which
        # Keras makes up for by one more layer, but only where it loads "imagenet" itself.
        if isinstance(layer, layers.Normalization) and layer.input_mean is None:
            mean, variance, count = layer.get_weights()
            if np.allclose(variance, IMAGENET_DEVIATIONS, rtol=1e-3):
                layer.set_weights([mean, variance**2, count])
                layer.finalize_state()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
