"""A small network and fast settings that the training tests share."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np

from warptag.data import Records
from warptag.models import AlexNet
from warptag.training import TrainingSettings, train

FAST = TrainingSettings(learning_rate=0.01, epochs=3, batch_size=16, clip_norm=5.0, seed=1)


def small_network() -> keras.Model:
    return AlexNet(3, (16, 16, 3), width=0.1, dense_units=64, first_stride=2, dropout=0.3, seed=1)


@cache
def records(data):
    """What is trained on and what for validation; indexing takes longer than an epoch."""
    return Records(data, "train", "fit"), Records(data, "train", "validation")


def fit(data, folder, settings=FAST, context=None, **options):
    return train(
        "test",
        small_network,
        *records(data),
        settings,
        folder,
        k=1,
        context=context or {},
        **options,
    )


def assert_same_weights(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
