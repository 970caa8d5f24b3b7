"""Two replicas under Keras 2.15 train and measure as one, by the tests for Keras 3."""

import pytest

pytest.importorskip(
    "tensorflow_addons", reason="needs an environment of its own, see docs/addons.md"
)

from test_losses_replicas import (
    runs,
    test_replicas_and_steps_draw_differently,
    test_two_replicas_measure_as_one,
    test_two_replicas_train_as_one,
)

__all__ = [
    "runs",
    "test_replicas_and_steps_draw_differently",
    "test_two_replicas_measure_as_one",
    "test_two_replicas_train_as_one",
]
