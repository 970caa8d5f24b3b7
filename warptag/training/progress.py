"""The progress of a run: a bar in a terminal, one line per epoch elsewhere and in workers."""

from __future__ import annotations

import multiprocessing
import sys
import time

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """Shows images per second, the remaining time, the loss and the metrics of the last epoch.

    The bar covers the whole run; that of Keras covers one epoch.

    Args:
        name: the name of the run.
        steps_per_epoch: the number of steps per epoch.
        batch_size: the number of images per step.
        num_epochs: the number of epochs of the whole run.

    Attributes:
        seconds: the time spent on the training steps of this epoch.
    """

    def __init__(self, name: str, steps_per_epoch: int, batch_size: int, num_epochs: int) -> None:
        super().__init__()
        self.name, self.num_epochs = name, num_epochs
        self.images_per_epoch, self.batch_size = steps_per_epoch * batch_size, batch_size
        # The bars of several processes would overwrite each other.
        self.terminal = sys.stderr.isatty() and multiprocessing.parent_process() is None
        self.seconds, self.metrics = 0.0, ""
        self.bar = tqdm(
            desc=name,
            total=num_epochs * self.images_per_epoch,
            unit="image",
            unit_scale=True,
            disable=not self.terminal,
            file=sys.stderr,
            dynamic_ncols=True,
        )

    @property
    def images_per_second(self) -> float:
        """The images per second of this epoch."""
        return self.images_per_epoch / max(self.seconds, 1e-9)

    def resume(self, num_epochs: int) -> None:
        """Starts the bar after a number of finished epochs."""
        self.write(f"resumes after epoch {num_epochs} of {self.num_epochs}")
        self.bar.initial = self.bar.n = num_epochs * self.images_per_epoch

    def write(self, text: str) -> None:
        """Writes a line above the bar."""
        self.bar.write(f"{self.name}: {text}", file=sys.stderr)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self._started = epoch, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds = time.perf_counter() - self._started
        self.bar.set_postfix_str(f"loss {logs['loss']:.3f}{self.metrics}", refresh=False)
        done = self.epoch * self.images_per_epoch + (batch + 1) * self.batch_size
        self.bar.update(done - self.bar.n)

    def on_epoch_end(self, epoch, logs=None):
        percent = {name: 100 * value for name, value in logs.items() if name.startswith("val_")}
        self.metrics = (
            ", recall {val_per_class_recall:.1f}/{val_overall_recall:.1f}, "
            "precision {val_per_class_precision:.1f}/{val_overall_precision:.1f}, "
            "N+ {val_n_plus:.1f}".format(**percent)
        )
        if not self.terminal:
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            self.write(
                f"epoch {epoch + 1}/{self.num_epochs}, loss {logs['loss']:.3f}, "
                f"rate {rate:.3g}{self.metrics}, {self.images_per_second:,.0f} images/s, "
                f"{self.seconds * (self.num_epochs - epoch - 1):,.0f} s left"
            )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
