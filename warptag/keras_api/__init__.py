"""The part of Keras's interface that losses and metrics use, for Keras 3 and Keras 2.15.

Under Keras 3 these are Keras's own objects. Keras 2.15 is supported for tensorflow-addons only
(docs/addons.md); `keras2` and `tensorflow_ops` provide the same names for it.
"""

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING or not keras.__version__.startswith("2."):
    from keras import ops
    from keras.backend import result_type, standardize_dtype
    from keras.losses import Loss
    from keras.metrics import Metric
    from keras.random import SeedGenerator
    from keras.random import uniform as random_uniform

    def value_of(variable):
        """The variable's current value as a tensor."""
        return variable.value

else:
    from warptag.keras_api import tensorflow_ops as ops
    from warptag.keras_api.keras2 import (
        Loss,
        Metric,
        SeedGenerator,
        random_uniform,
        result_type,
        standardize_dtype,
        value_of,
    )

__all__ = [
    "Loss",
    "Metric",
    "SeedGenerator",
    "ops",
    "random_uniform",
    "result_type",
    "standardize_dtype",
    "value_of",
]
