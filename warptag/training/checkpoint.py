"""A checkpoint at the end of each epoch, from which a run resumes bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import keras
import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole
from tfrecords_tools.typed_json import as_type
from warptag.training.progress import Progress

HISTORY, TIMING = "history.csv", "timing.csv"
#: The newest checkpoint, and the one before it in case the newest is damaged.
NUM_KEPT = 2
#: The attributes in which Keras's callbacks remember earlier epochs, besides `best_weights`.
MEMORY = ("best", "best_epoch", "wait", "cooldown_counter")


class _Progress(TypedDict):
    """The content of a checkpoint besides the arrays. Numbers may be NaN."""

    history: list[dict[str, Any]]
    timing: list[dict[str, Any]]
    stopped: bool
    memories: list[dict[str, Any]]


class Checkpoint(keras.callbacks.Callback):
    """Saves the complete state of a run at the end of each epoch. A file is never half-written.

    Unlike `keras.callbacks.BackupAndRestore`, it also saves random states (including the draws of
    a loss), the history, and what other callbacks remember. It keeps the two newest checkpoints.

    It must be the last callback of `fit`, after those whose memory it saves.

    Args:
        directory: the folder of the run. `checkpoint-EPOCH.npz`, `history.csv` (one row per epoch:
            epoch, loss, learning_rate and the validation metrics) and `timing.csv` (one row per
            epoch: epoch, seconds, images_per_second) are written to it.
        variables: a function that returns the variables that later steps depend on.
        callbacks: the Keras callbacks that remember earlier epochs.
        progress: the callback that measures the seconds of each epoch.

    Attributes:
        history: the rows of `history.csv`, including those of earlier sessions.
        timing: the rows of `timing.csv`.
        stopped: whether a callback ended the run before its last epoch.
    """

    def __init__(
        self,
        directory: Path,
        variables: Callable[[], Sequence[keras.Variable]],
        callbacks: Sequence[keras.callbacks.Callback],
        progress: Progress,
    ) -> None:
        super().__init__()
        self.directory, self.variables, self.callbacks = directory, variables, callbacks
        self.progress = progress
        self.history: list[dict[str, float]] = []
        self.timing: list[dict[str, float]] = []
        self.stopped = False
        self._memories: list[dict[str, Any]] = []
        self._best_weights: list[np.ndarray] = []

    def restore(self) -> int:
        """Restores the newest checkpoint that is not damaged.

        Returns:
            The number of finished epochs; 0 if there is no checkpoint.

        Raises:
            InputError: the checkpoint is of another model.
        """
        for path in checkpoints(self.directory):
            if (found := load_checkpoint(path)) is not None:
                break
            self.progress.write(f"{path} is damaged; the checkpoint before it is used, if any")
        else:
            return 0
        progress, arrays = found
        variables = self.variables()
        if [tuple(v.shape) for v in variables] != [a.shape for a in arrays[: len(variables)]]:
            raise InputError(
                f"{self.directory}: the checkpoint is of another model, since the shapes of its "
                "variables differ from those of this model; remove the folder or choose another"
            )
        for variable, array in zip(variables, arrays, strict=False):
            variable.assign(array)
        self.history, self.timing = progress["history"], progress["timing"]
        self.stopped, self._memories = progress["stopped"], progress["memories"]
        self._best_weights = arrays[len(variables) :]
        self.progress.resume(len(self.history))
        return len(self.history)

    def on_train_begin(self, logs=None):
        # Keras's callbacks reset their state just before.
        for callback, memory in zip(self.callbacks, self._memories, strict=False):
            vars(callback).update(memory)
            if getattr(callback, "restore_best_weights", False):
                callback.best_weights = self._best_weights

    def on_epoch_end(self, epoch, logs=None):
        # ReduceLROnPlateau, called before this, logs the rate of the epoch before reducing it.
        rate = logs.get("learning_rate", self.model.optimizer.learning_rate)
        rate = float(f"{float(keras.ops.convert_to_numpy(rate)):.6g}")
        logs = {name: round(float(value), 6) for name, value in logs.items()}
        metrics = {name: value for name, value in logs.items() if name.startswith("val_")}
        self.history.append(
            {"epoch": epoch + 1, "loss": logs["loss"], "learning_rate": rate, **metrics}
        )
        self.timing.append(
            {
                "epoch": epoch + 1,
                "seconds": round(self.progress.seconds, 2),
                "images_per_second": round(self.progress.images_per_second, 1),
            }
        )
        self.stopped = bool(self.model.stop_training)
        self._save()
        self._write_tables()

    def on_train_end(self, logs=None):
        # The run may have been killed after its last checkpoint, before the tables were written.
        self._write_tables()

    def _write_tables(self) -> None:
        for name, rows in ((HISTORY, self.history), (TIMING, self.timing)):
            with writing(self.directory / name) as temporary:
                pd.DataFrame(rows).to_csv(temporary, index=False)

    def _save(self) -> None:
        memories = [
            {name: vars(callback)[name] for name in MEMORY if name in vars(callback)}
            for callback in self.callbacks
        ]
        best_weights = [
            array
            for callback in self.callbacks
            for array in getattr(callback, "best_weights", None) or []
        ]
        progress = {
            "history": self.history,
            "timing": self.timing,
            "stopped": self.stopped,
            "memories": memories,
        }
        values = [keras.ops.convert_to_numpy(variable) for variable in self.variables()]
        path = self.directory / f"checkpoint-{len(self.history):05d}.npz"
        arrays = {f"array_{i}": array for i, array in enumerate([*values, *best_weights])}
        with writing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, progress=np.array(json.dumps(progress)), **arrays)
        # Checkpoints of later epochs are damaged, or the run would have resumed from them.
        later = [found for found in checkpoints(self.directory) if found.name > path.name]
        before = [found for found in checkpoints(self.directory) if found.name <= path.name]
        for old in [*later, *before[NUM_KEPT:]]:
            old.unlink(missing_ok=True)


def checkpoints(directory: Path) -> list[Path]:
    """The checkpoints of a folder, the newest first."""
    return sorted(directory.glob("checkpoint-[0-9]*.npz"), reverse=True)


def load_checkpoint(path: Path) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """The progress and the arrays of a checkpoint; None if it is damaged."""
    try:
        # NumPy checks each array against its checksum.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = [content[f"array_{i}"] for i in range(len(content.files) - 1)]
            return as_type(json.loads(str(content["progress"])), _Progress), arrays
    # NumPy and zipfile raise many kinds of errors for a damaged archive.
    except Exception:
        return None


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Like `write_whole`, but raises InputError if the file cannot be written."""
    try:
        with write_whole(path) as temporary:
            yield temporary
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); earlier checkpoints are kept. "
            "Free some space and run the same command again"
        ) from error
