"""Training with JAX and PyTorch: runs learn, resume, and are read with TensorFlow."""

from importlib.util import find_spec

import keras
import numpy as np
import pytest
from training_support import run_python

from warptag.data import Records
from warptag.training import predict

TRAIN = """
import json, sys
from dataclasses import replace
from pathlib import Path
import keras
from training_support import FAST, assert_same_weights, fit, fit_and_copy, small_network
from warptag.data import Records
from warptag.training import TrainingDiverged, predict

data, folder = map(Path, sys.argv[1:])
settings = replace(FAST, loss="warp", epochs=4, schedule="plateau", patience=1, keep="best")
model, history = fit_and_copy(data, folder / "run", settings, make_model=small_network)
# Killed after the second epoch.
resumed, _ = fit(data, folder / "run-2", settings, small_network)
assert_same_weights(resumed, model)
assert (folder / "run/history.csv").read_bytes() == (folder / "run-2/history.csv").read_bytes()
try:
    fit(data, folder / "diverged", replace(FAST, learning_rate=float("inf")))
except TrainingDiverged as error:
    message = str(error)
scores = predict(model, Records(data, "test")).tolist()
print(json.dumps([keras.backend.backend(), history["loss"].tolist(), message, scores]))
"""


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_another_backend_trains_and_resumes_and_its_model_is_read(striped, tmp_path, name):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    backend, losses, error, scores = run_python(TRAIN, striped, tmp_path, KERAS_BACKEND=name)
    assert backend == name and losses[-1] < losses[0]
    assert "step" in error and "layer" in error
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    np.testing.assert_allclose(predict(model, Records(striped, "test")), scores, atol=1e-4)
