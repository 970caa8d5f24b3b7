"""Networks of `keras.applications`: with one linear score per tag, or up to their features."""

from __future__ import annotations

import difflib
import inspect
import os
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from tfrecords_tools.errors import InputError

#: In the place of a file of weights: those that Keras downloads.
IMAGENET = "imagenet"
EFFICIENTNET_SIZES = {"B1": 240, "B2": 260, "B3": 300, "B4": 380, "B5": 456, "B6": 528, "B7": 600}
EFFICIENTNET_V2_SIZES = {"B1": 240, "B2": 260, "B3": 300, "S": 384, "M": 480, "L": 480}
#: Minimum height and width of the inputs, where Keras needs more than 32 pixels.
MIN_SIZES = {"InceptionResNetV2": 75, "InceptionV3": 75, "Xception": 71}
#: The height and width of ImageNet's crops, where they are not 224 pixels.
DEFAULT_SIZES = {
    **{f"EfficientNet{number}": size for number, size in EFFICIENTNET_SIZES.items()},
    **{f"EfficientNetV2{number}": size for number, size in EFFICIENTNET_V2_SIZES.items()},
    **dict.fromkeys(("InceptionResNetV2", "InceptionV3", "Xception"), 299),
    "NASNetLarge": 331,
}
#: Standard deviations of ImageNet's pixels, which are from 0 to 1.
IMAGENET_DEVIATIONS = (0.229, 0.224, 0.225)


class WeightsNotDownloaded(InputError):
    """Keras cannot download the ImageNet weights of a network, or cannot read what it downloaded.

    Example:
        >>> raise WeightsNotDownloaded("the ImageNet weights of MobileNetV2 cannot be downloaded")
        Traceback (most recent call last):
            ...
        warptag.models.backbone.WeightsNotDownloaded: the ImageNet weights of ...
    """


def weights_folder() -> Path:
    """The folder in which Keras keeps the weights that it downloads.

    Example:
        >>> weights_folder().name
        'models'
    """
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"], "models")
    home = Path.home()
    # As Keras does.
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras" / "models"


def default_size(name: str) -> int:
    """The height and width in pixels for which a network's ImageNet weights were trained.

    Example:
        >>> default_size("MobileNetV2"), default_size("InceptionV3")
        (224, 299)
    """
    return DEFAULT_SIZES.get(name, 224)


def backbone_names() -> list[str]:
    """The names of the networks in `keras.applications`, in alphabetical order.

    Example:
        >>> "MobileNetV2" in backbone_names()
        True
    """
    return sorted(name for name, _ in inspect.getmembers(keras.applications, inspect.isfunction))


def check_backbone_name(name: str) -> None:
    """Check that the name is one of `backbone_names`.

    Raises:
        InputError: if it is not; the message suggests similar names.

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
        else f"expected one of {', '.join(names)}"
    )
    raise InputError(f"keras.applications has no network {name!r}; {hint}")


def preprocessing_of(name: str) -> Callable:
    """The `preprocess_input` function of the network's family.

    It changes nothing for families whose networks include their preprocessing.
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

    The network's own preprocessing, the network without its classifier, global average pooling,
    dropout, and the linear layer that `AlexNet` ends with. All weights are trainable.

    Args:
        name: one of `backbone_names`.
        num_tags: number of scores, at least 1.
        input_shape: (height, width, 3) of the crops, with pixels from 0 to 255.
        weights: None for random weights, "imagenet" for those that Keras downloads, or a file with
            the weights of the network without its classifier (Keras's `*_notop.h5` or a
            `.weights.h5` file).
        dropout: ratio of features dropped before the scores, in [0, 1).
        seed: seed of the initial weights and the dropout.

    Returns:
        `keras.Model`: (batch, height, width, 3) to (batch, num_tags) float32.

    Raises:
        ValueError: if a number is out of range or the input is too small for the network.
        InputError: if the name is unknown or the weights cannot be downloaded, read or used.

    Example:
        >>> model = Backbone("MobileNetV3Small", 81, input_shape=(64, 64, 3))
        >>> model.output_shape
        (None, 81)
    """
    if num_tags < 1 or not 0 <= dropout < 1:
        raise ValueError(
            "num_tags must be at least 1 and dropout in [0, 1); got "
            f"num_tags={num_tags}, dropout={dropout}"
        )
    features = FeatureNetwork(name, input_shape, weights, seed)
    x = layers.Dropout(dropout, seed=seed, name="dropout")(features.output)
    scores = layers.Dense(
        num_tags,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
        dtype="float32",
        name="scores",
    )(x)
    return keras.Model(features.input, scores, name=name.lower())


def FeatureNetwork(
    name: str,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    weights: str | Path | None = None,
    seed: int = 0,
) -> keras.Model:
    """A network of `keras.applications` without its classifier.

    Pixels from 0 to 255 in, mean-pooled features out, with the network's own preprocessing.

    Args:
        name, input_shape, weights: as in `Backbone`.
        seed: seed of random weights.

    Returns:
        `keras.Model`: (batch, height, width, 3) to (batch, num_features).

    Raises:
        ValueError: if the input is too small for the network.
        InputError: if the name is unknown or the weights cannot be read or used.
        WeightsNotDownloaded: if the weights cannot be downloaded.

    Example:
        >>> FeatureNetwork("MobileNetV3Small", input_shape=(64, 64, 3)).output_shape
        (None, 576)
    """
    check_backbone_name(name)
    min_size = MIN_SIZES.get(name, 32)
    if min(input_shape[:2]) < min_size:
        raise ValueError(
            f"{name} needs inputs of at least {min_size} x {min_size} pixels, got "
            f"{input_shape[0]} x {input_shape[1]}"
        )
    # Keras draws the seeds of the network's initializers and dropouts from this state.
    state = random.getstate()
    random.seed(seed)
    try:
        inputs = keras.Input(input_shape, name="image")
        return keras.Model(inputs, _features(name, inputs, weights).output, name="features")
    finally:
        random.setstate(state)


def _features(name: str, inputs: keras.KerasTensor, weights: str | Path | None) -> keras.Model:
    application = getattr(keras.applications, name)

    def make(weights: str | None) -> keras.Model:
        return application(
            include_top=False,
            weights=weights,
            input_tensor=preprocessing_of(name)(inputs),
            input_shape=inputs.shape[1:],
            pooling="avg",
        )

    if weights == IMAGENET:
        return _with_imagenet(name, make)
    features = make(None)
    if weights is not None:
        _load(features, name, Path(weights))
    return features


def _with_imagenet(name: str, make: Callable[[str], keras.Model]) -> keras.Model:
    try:
        with warnings.catch_warnings():
            # MobileNet has weights for some sizes only and warns that it uses those for 224.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
            return make(IMAGENET)
    except ValueError:
        raise
    # Keras raises a bare Exception if the download fails.
    except Exception as error:
        raise WeightsNotDownloaded(
            f"the ImageNet weights of {name} cannot be downloaded, or the file in "
            f"{weights_folder()} is incomplete ({_first_line(error)})"
        ) from error


def _load(features: keras.Model, name: str, path: Path) -> None:
    try:
        features.load_weights(path)
    # Keras raises exceptions of many types for a wrong file.
    except Exception as error:
        raise InputError(
            f"{path} cannot be used as the weights of {name} ({_first_line(error)}); expected the "
            "weights of the same network without its classifier (include_top=False), in a "
            "*_notop.h5 or .weights.h5 file of Keras"
        ) from error
    for layer in features.layers:
        # Keras's weight files of EfficientNet contain deviations in the place of variances. Keras
        # corrects this with an additional layer, but only if it loads "imagenet" itself.
        if isinstance(layer, layers.Normalization) and layer.input_mean is None:
            mean, variance, count = layer.get_weights()
            if np.allclose(variance, IMAGENET_DEVIATIONS, rtol=1e-3):
                layer.set_weights([mean, variance**2, count])
                layer.finalize_state()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
