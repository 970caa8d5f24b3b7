"""What happens during a run beside its steps: progress, checkpoints, validation, a stop on NaN."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import pandas as pd
from tqdm import tqdm

from tfrecords_tools.errors import InputError
from warptag.files import write_bytes, write_whole


class TrainingDiverged(InputError):
    """The loss became NaN or infinite."""


class StopOnNaN(keras.callbacks.Callback):
    """Raises `TrainingDiverged`, naming epoch and step, when the loss is not finite."""

    def __init__(self, name: str):
        super().__init__()
        self.name, self.epoch = name, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"{self.name}: the loss became {loss} in epoch {self.epoch + 1}, by step "
                f"{batch + 1}; try a smaller learning rate or another normalization"
            )


class Progress(keras.callbacks.Callback):
    """A bar over the steps of the whole run with images a second, time left and loss."""

    def __init__(self, name: str, num_steps: int, batch_size: int, first_step: int):
        super().__init__()
        self.name, self.num_images = name, num_steps * batch_size
        self.batch_size, self.first = batch_size, first_step * batch_size

    def on_train_begin(self, logs=None):
        # disable=None: no bar where standard error is not a terminal.
        self.bar = tqdm(
            desc=self.name,
            total=self.num_images,
            initial=self.first,
            unit="image",
            disable=None,
        )
        self.last = -1

    def on_epoch_begin(self, epoch, logs=None):
        self.last = -1

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update((batch - self.last) * self.batch_size)
        self.last = batch
        self.bar.set_postfix(loss=f"{(logs or {}).get('loss', 0.0):.3f}", refresh=False)

    def close(self):
        if hasattr(self, "bar"):
            self.bar.close()


class SeedOfEpoch(keras.callbacks.Callback):
    """Makes the draws of dropout and loss depend on seed and epoch alone.

    Keras does not save the state of seed generators; with this a run that goes on from a
    checkpoint draws what it would have drawn.
    """

    def on_epoch_begin(self, epoch, logs=None):
        for part in (*self.model.layers, self.model.loss):
            generator = getattr(part, "seed_generator", None)
            if generator is not None:
                generator.state.assign([generator.get_config()["seed"], epoch * 2**20])


class EpochLog(keras.callbacks.Callback):
    """Validates after every epoch, then writes `history.csv` and the checkpoint, each whole.

    Args:
        directory: where `history.csv` and `checkpoint.keras` go.
        validate: from the model to the validation figures of this epoch.
        num_images: training images an epoch.
        history: rows of the epochs before, when a run goes on.
    """

    def __init__(
        self,
        directory: Path,
        validate: Callable[[keras.Model], dict[str, float]],
        num_images: int,
        history: list[dict],
    ):
        super().__init__()
        self.directory, self.validate = directory, validate
        self.num_images, self.history = num_images, history

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.start
        row = {
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            **self.validate(self.model),
            "seconds": round(seconds, 2),
            "images_per_second": round(self.num_images / seconds, 1),
        }
        self.history.append(row)
        write_whole(self.directory / "checkpoint.keras", self.model.save)
        table = pd.DataFrame(self.history).to_csv(index=False)
        write_bytes(self.directory / "history.csv", table.encode())
