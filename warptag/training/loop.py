"""The loop of every strategy: steps, epochs, validation, checkpoints, the stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from warptag.data import Records
from warptag.metrics import annotation_report
from warptag.training.checkpoints import (
    load_checkpoint,
    load_values,
    remove_checkpoints,
    restore,
    save_checkpoint,
    save_values,
    write_or_say,
)
from warptag.training.divergence import diverged
from warptag.training.logs import Logs
from warptag.training.progress import Progress
from warptag.training.run_folder import BEST, HISTORY, MODEL, TIMING
from warptag.training.schedule import epochs_since_best, plateau_falls
from warptag.training.scoring import BATCH_SIZE, score
from warptag.training.settings import TrainingSettings
from warptag.training.step import PRECISIONS, TrainingStep
from warptag.training.strategy import Engine


@dataclass
class Position:
    """How far a run is; with the step's variables, all that it goes on from.

    Attributes:
        step: steps done in all.
        loss_sum: sum of the losses of this epoch's steps.
        seconds: time spent in this epoch.
        history: one row an epoch that is done: loss, learning rate, validation figures.
        timing: one row an epoch: seconds, images a second.
    """

    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)
    timing: list[dict] = field(default_factory=list)


@dataclass
class Loop:
    """One run, from where its folder's last checkpoint stands to its end.

    Args:
        name: of the run, in what is shown.
        make_model: makes the network; its input is the crop.
        records: images to fit, at least one batch.
        validation: images for the figures of every epoch.
        settings: every other choice.
        directory: the run's folder.
        k: tags an image for the validation figures.
        engine: runs the steps.
        chief: whether this process writes and shows anything.
        checkpoint_minutes: a checkpoint is written after so long, beside that of each epoch.
        logs: for TensorBoard.
    """

    name: str
    make_model: Callable[[], keras.Model]
    records: Records
    validation: Records
    settings: TrainingSettings
    directory: Path
    k: int
    engine: Engine
    chief: bool
    checkpoint_minutes: float
    logs: Logs

    def run(self) -> tuple[keras.Model, pd.DataFrame]:
        """Train to the end; see `trainer.train`."""
        settings = self.settings
        self.steps_per_epoch = len(self.records) // settings.batch_size
        keras.utils.set_random_seed(settings.seed)
        if settings.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.position, values = self._last_checkpoint()
        with self.engine.strategy.scope():
            self.model = _with_precision(settings.precision, self.make_model)
            self.step = TrainingStep(
                self.model, settings, self.steps_per_epoch, self.engine.num_replicas
            )
            if values is not None:
                restore(self.step.state, values)
        self.validation_images = self.validation.evaluation(
            crop_size=self.model.input_shape[1], batch_size=BATCH_SIZE
        )
        first_step = self.position.step
        self.engine.start(self.step, lambda worker: self._batches(first_step, worker))
        num_steps = self.steps_per_epoch * settings.epochs
        self.progress = Progress(
            self.name,
            num_steps * settings.batch_size,
            first_step * settings.batch_size,
            settings.epochs,
            visible=self.chief,
        )
        try:
            if first_step:
                epoch, step = divmod(first_step, self.steps_per_epoch)
                self.progress.say(
                    f"goes on from step {first_step:,} of {num_steps:,}, step {step:,} of epoch "
                    f"{epoch + 1}"
                )
            self._train()
        finally:
            self.progress.close()
            self.logs.close()
            self.engine.stop()
        return self._finish()

    def _train(self) -> None:
        position, last_saved = self.position, time.monotonic()
        while not self._ended():
            left = self.steps_per_epoch - position.step % self.steps_per_epoch
            started = time.perf_counter()
            losses = self.engine.run(min(left, self.engine.steps_per_call))
            position.seconds += time.perf_counter() - started
            self._add(losses)
            if len(losses) == left:
                self._end_epoch()
            elif time.monotonic() - last_saved < 60 * self.checkpoint_minutes:
                continue
            self._save()
            last_saved = time.monotonic()

    def _add(self, losses: np.ndarray) -> None:
        position = self.position
        finite = np.isfinite(losses)
        if not finite.all():
            step = position.step + int(np.argmin(finite))
            loss = losses[int(np.argmin(finite))]
            self._diverged(f"the loss became {loss} at step {step + 1:,}", step)
        position.step += len(losses)
        position.loss_sum += float(losses.astype(np.float64).sum())
        if not self.engine.counts_exactly:
            self.step.set_count(position.step)
        rate = self.step.current_learning_rate
        self.progress.update(len(losses) * self.settings.batch_size, float(losses[-1]), rate)
        self.logs.write(position.step, {"loss": float(losses.mean()), "learning_rate": rate})

    def _end_epoch(self) -> None:
        position, steps = self.position, self.steps_per_epoch
        scores = score(self.model, self.validation_images)
        if not np.isfinite(scores).all():
            # The last step of the epoch, whose loss was still finite, broke the weights.
            self._diverged("the scores of validation images are not finite", position.step - 1)
        report = annotation_report(self.validation.labels, scores, self.k)
        figures = {f"val_{figure}": round(value / 100, 6) for figure, value in report.items()}
        row = {
            "epoch": len(position.history) + 1,
            "loss": position.loss_sum / steps,
            "learning_rate": self.step.current_learning_rate,
            **figures,
        }
        rate = steps * self.settings.batch_size / position.seconds
        position.history.append(row)
        position.timing.append(
            {
                "epoch": row["epoch"],
                "seconds": round(position.seconds, 2),
                "images_per_second": round(rate, 1),
            }
        )
        position.loss_sum = position.seconds = 0.0
        selection = self._selection_figures()
        if self.settings.schedule == "plateau":
            falls = plateau_falls(selection, self.settings.patience)
            rate_now = self.settings.first_learning_rate * self.settings.decay_factor**falls
            self.step.set_learning_rate(rate_now)
        if self.chief and self.settings.keep == "best" and epochs_since_best(selection) == 0:
            save_values(self.directory / BEST, self.model.variables, {})
        self.progress.end_epoch(row, rate)
        self.logs.write(position.step, figures)

    def _selection_figures(self) -> list[float]:
        """What epochs are compared by: the mean of per-class and overall recall."""
        return [
            (row["val_per_class_recall"] + row["val_overall_recall"]) / 2
            for row in self.position.history
        ]

    def _ended(self) -> bool:
        done = self.position.step
        if done == self.steps_per_epoch * self.settings.epochs:
            return True
        if self.settings.early_stopping is None or done % self.steps_per_epoch or not done:
            return False
        return epochs_since_best(self._selection_figures()) >= self.settings.early_stopping

    def _save(self) -> None:
        if not self.chief:
            return
        save_checkpoint(self.directory, self.position.step, self.step.state, asdict(self.position))
        # After the checkpoint, which holds both: a run that goes on writes them again.
        self._write_tables()

    def _write_tables(self) -> None:
        for name, rows in ((HISTORY, self.position.history), (TIMING, self.position.timing)):
            table = partial(pd.DataFrame(rows).to_csv, index=False)
            write_or_say(self.directory / name, table)

    def _last_checkpoint(self) -> tuple[Position, list[np.ndarray] | None]:
        found = load_checkpoint(self.directory)
        if found is None:
            return Position(), None
        values, progress = found
        return Position(**progress), values

    def _finish(self) -> tuple[keras.Model, pd.DataFrame]:
        if self.chief:
            if self.settings.keep == "best":
                restore(self.model.variables, load_values(self.directory / BEST)[0])
            self._write_tables()
            write_or_say(self.directory / MODEL, self.model.save)
            remove_checkpoints(self.directory)
            (self.directory / BEST).unlink(missing_ok=True)
        return self.model, pd.DataFrame(self.position.history)

    def _batches(self, first_step: int, worker: tuple[int, int]) -> tf.data.Dataset:
        return self.records.training(
            crop_size=self.model.input_shape[1],
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            first_step=first_step,
            worker=worker,
        )

    def _diverged(self, what: str, step: int) -> None:
        epoch = step // self.steps_per_epoch + 1
        images, _ = next(iter(self._batches(step, (0, 1))))
        found = load_checkpoint(self.directory)
        kept = (
            "there is no checkpoint yet"
            if found is None
            else f"the checkpoint of step {found[1]['step']:,} is kept"
        )
        raise diverged(f"{self.name}, epoch {epoch}", what, self.model, images, kept)


def _with_precision(precision: str, make_model: Callable[[], keras.Model]) -> keras.Model:
    """The model, its layers computing in this precision; the weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[precision])
    try:
        return make_model()
    finally:
        keras.config.set_dtype_policy(before)
