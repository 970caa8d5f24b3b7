"""What losses and metrics use of Keras's interface, wherever Keras 2.15 lacks it.

Under Keras 3 these are Keras's own names. Keras 2.15 is there for tensorflow-addons alone, the
extra `addons` (docs/addons.md); `keras2` and `tensorflow_ops` supply the same names for it.
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
    from keras.tree import map_structure

    def value_of(variable):
        """The variable's numbers now; how to ask for them differs."""
        return variable.value

else:
    from warptag.keras_api import tensorflow_ops as ops
    from warptag.keras_api.keras2 import (
        Loss,
        Metric,
        SeedGenerator,
        map_structure,
        random_uniform,
        result_type,
        standardize_dtype,
        value_of,
    )

__all__ = [
    "Loss",
    "Metric",
    "SeedGenerator",
    "map_structure",
    "ops",
    "random_uniform",
    "result_type",
    "standardize_dtype",
    "value_of",
]
