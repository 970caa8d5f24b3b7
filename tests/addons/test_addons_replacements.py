"""The replacements of tensorflow-addons in Keras 3 (docs/addons.md), in the main environment."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    keras.__version__.startswith("2."), reason="the replacements are of Keras 3"
)

DOCS = (Path(__file__).parents[2] / "docs/addons.md").read_text(encoding="utf-8")


def test_the_docs_example_trains():
    example = re.search(r"<!-- keras 3 -->\n```python\n(.*?)```", DOCS, re.DOTALL).group(1)
    names: dict = {}
    exec(example, names)
    assert names["history"].history["loss"][-1] < names["history"].history["loss"][0]
    # fit leaves the averages in the model.
    averages = names["model"].optimizer._model_variables_moving_average
    for weights, average in zip(names["model"].trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (weights, average)))
