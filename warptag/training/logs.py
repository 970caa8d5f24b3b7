"""Logs and a profile for TensorBoard, where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

#: Writes that are passed over before the profile, while TensorFlow traces and warms up, and those
#: that it covers.
BEFORE_PROFILE, IN_PROFILE = 2, 3


class Logs:
    """Writes numbers by step, and profiles a few calls near the start.

    Args:
        directory: where to; None writes nothing.
        numbers: whether to write the numbers.
        profile: whether to profile.
    """

    def __init__(self, directory: Path | None, numbers: bool, profile: bool):
        self.directory = directory
        self.numbers = numbers and directory is not None
        self.profile = profile and directory is not None
        self.writer = tf.summary.create_file_writer(str(directory)) if self.numbers else None
        self.num_writes, self.profiling = 0, False

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Called after each call of the engine, and at the end of an epoch."""
        if self.writer is not None:
            with self.writer.as_default(step=step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)
        self.num_writes += 1
        if self.profile and self.num_writes == BEFORE_PROFILE:
            tf.profiler.experimental.start(str(self.directory))
            self.profiling = True
        elif self.profiling and self.num_writes == BEFORE_PROFILE + IN_PROFILE:
            self._stop_profile()

    def close(self) -> None:
        if self.profiling:
            self._stop_profile()
        if self.writer is not None:
            self.writer.close()

    def _stop_profile(self) -> None:
        tf.profiler.experimental.stop()
        self.profiling = False
