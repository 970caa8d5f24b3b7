"""Small networks, fast settings and processes that the training tests share."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

from warptag.data import Records
from warptag.models import AlexNet
from warptag.training import TrainingSettings, checkpoint, train

FAST = TrainingSettings(learning_rate=0.02, epochs=3, batch_size=16, clip_norm=5.0, seed=1)


def small_network():
    return AlexNet(3, (16, 16, 3), width=0.1, dense_units=64, first_stride=2, dropout=0.3)


def tiny_network(dropout=0.3):
    # Without a seed, dropout on PyTorch draws from its global generator.
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.AveragePooling2D(4)]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(dropout, seed=1)]
    layers += [keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((16, 16, 3)), *layers])


def fit(data, folder, settings=FAST, make_model=tiny_network, **options):
    records = (Records(data, split) for split in ("train", "validation"))
    options = {"k": 1, "context": {}, **options}
    return train("test", make_model, *records, settings, Path(folder), **options)


def fit_and_copy(data, folder, *arguments, **options):
    """Trains, and keeps the folder as it is right after each checkpoint in `FOLDER-EPOCH`."""
    writing = checkpoint.writing

    @contextmanager
    def write_and_copy(path):
        with writing(path) as temporary:
            yield temporary
        if path.suffix == ".npz":
            shutil.copytree(folder, f"{folder}-{int(path.stem.removeprefix('checkpoint-'))}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "writing", write_and_copy)
        return fit(data, folder, *arguments, **options)


def assert_same_weights(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def call_in_process(function, *arguments, **environment):
    """What a function of a test module returns in a process of its own."""
    code = f"import json, sys; from {function.__module__} import {function.__name__} as function"
    code += "; print(json.dumps(function(*sys.argv[1:])))"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    options = {"cwd": Path(__file__).parent, "env": {**os.environ, **environment}}
    done = subprocess.run(command, **options, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
