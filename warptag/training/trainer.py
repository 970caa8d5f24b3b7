"""Training one network with one loss, in a folder that a stopped run goes on from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from warptag.data import Records, input_errors
from warptag.files import read_json, write_json, write_whole
from warptag.metrics import annotation_report
from warptag.training.callbacks import EpochLog, Progress, SeedOfEpoch, StopOnNaN, TrainingDiverged
from warptag.training.schedule import staircase
from warptag.training.settings import TrainingSettings
from warptag.training.strategy import choose_strategy

STEPS_PER_CALL = 8


def train(
    name: str,
    make_model: Callable[[], keras.Model],
    records: Records,
    validation: Records,
    settings: TrainingSettings,
    directory: Path,
    *,
    k: int,
    context: dict,
    tensorboard: bool = False,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train, or go on from the last epoch's checkpoint in the folder.

    Args:
        name: shown before the progress bar.
        make_model: makes the network, inside the strategy's scope; its input is the crop.
        records: images to fit.
        validation: images for the figures of every epoch.
        settings: every other choice.
        directory: for `settings.json`, `history.csv`, `checkpoint.keras` and `model.keras`.
        k: tags an image for the validation figures.
        context: what else decides the run (data, network, versions), as JSON values; a folder
            whose `settings.json` differs is begun anew.
        tensorboard: also write logs for TensorBoard to `directory/tensorboard`.

    Returns:
        The trained model and one row an epoch: loss, learning rate, validation figures as
        fractions of 1, seconds, images a second.

    Raises:
        TrainingDiverged: the loss became NaN or infinite.
        InputError: there are fewer images than one batch, or a record is damaged.
    """
    steps = len(records) // settings.batch_size
    # Keras runs whole calls, so an epoch is a whole number of them where it is longer than one.
    steps -= steps % STEPS_PER_CALL if steps > STEPS_PER_CALL else 0
    if steps == 0:
        raise InputError(
            f"{records.directory}: {len(records)} training images are fewer than one batch of "
            f"{settings.batch_size}; convert more images or choose a smaller batch"
        )
    directory.mkdir(parents=True, exist_ok=True)
    history = _claim(directory, {**asdict(settings), **context})
    keras.utils.set_random_seed(settings.seed)
    strategy = choose_strategy()
    with strategy.scope():
        model = None
        if len(history) == settings.epochs and (directory / "model.keras").exists():
            return keras.saving.load_model(directory / "model.keras"), pd.DataFrame(history)
        if history:
            model = keras.saving.load_model(directory / "checkpoint.keras")
            if int(model.optimizer.iterations) != len(history) * steps:
                # Killed between the checkpoint and its row of the history.
                model, history = None, []
        if model is None:
            model = make_model()
            model.compile(
                optimizer=keras.optimizers.SGD(
                    staircase(
                        settings.learning_rate,
                        settings.decay_at,
                        settings.decay_factor,
                        steps * settings.epochs,
                    ),
                    momentum=settings.momentum,
                    global_clipnorm=settings.clip_norm,
                ),
                loss=settings.make_loss(),
                # Keras runs one step a call on several replicas; more of them fail in its loop.
                steps_per_execution=(
                    min(STEPS_PER_CALL, steps) if strategy.num_replicas_in_sync == 1 else 1
                ),
            )
    crop_size = model.input_shape[1]

    def validate(model: keras.Model) -> dict[str, float]:
        scores = predict(model, validation)
        if not np.isfinite(scores).all():
            # The last step of the epoch, whose loss was still finite, broke the weights.
            raise TrainingDiverged(
                f"{name}: the scores of validation images are not finite after epoch "
                f"{len(history) + 1}; try a smaller learning rate or another normalization"
            )
        report = annotation_report(validation.labels, scores, k)
        return {f"val_{figure}": round(value / 100, 6) for figure, value in report.items()}

    first_step = len(history) * steps
    num_images = steps * settings.batch_size
    progress = Progress(name, steps * settings.epochs, settings.batch_size, first_step)
    callbacks = [
        StopOnNaN(name),
        SeedOfEpoch(),
        progress,
        EpochLog(directory, validate, num_images, history),
    ]
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(directory / "tensorboard")))
    try:
        with input_errors():
            model.fit(
                records.training(
                    crop_size=crop_size,
                    batch_size=settings.batch_size,
                    seed=settings.seed,
                    first_step=first_step,
                ),
                initial_epoch=len(history),
                epochs=settings.epochs,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
    finally:
        progress.close()
    write_whole(directory / "model.keras", model.save)
    (directory / "checkpoint.keras").unlink(missing_ok=True)
    return model, pd.DataFrame(history)


def predict(model: keras.Model, records: Records, patches: str = "center") -> np.ndarray:
    """Scores of every image, the mean over its patches.

    Returns:
        float32 (num_images, num_tags), in the order of `records.labels`.
    """
    scores = []
    images = records.evaluation(crop_size=model.input_shape[1], batch_size=128, patches=patches)
    with input_errors():
        for batch in images:
            batch_size, num_patches, *shape = batch.shape
            flat = keras.ops.reshape(batch, (batch_size * num_patches, *shape))
            # Each of several replicas predicts the whole batch, and Keras joins the copies.
            output = np.asarray(model.predict_on_batch(flat))[: batch_size * num_patches]
            scores.append(output.reshape(batch_size, num_patches, -1).mean(axis=1))
    return np.concatenate(scores)


def _claim(directory: Path, settings: dict) -> list[dict]:
    """The epochs already done in the folder by the same settings; another run's are removed."""
    wanted = json.loads(json.dumps(settings))
    path, history = directory / "settings.json", directory / "history.csv"
    if read_json(path) == wanted and history.exists():
        done = pd.read_csv(history).to_dict("records")
        finished = len(done) == settings["epochs"] and (directory / "model.keras").exists()
        if finished or (directory / "checkpoint.keras").exists():
            return done
    for stale in ("settings.json", "checkpoint.keras", "history.csv", "model.keras"):
        (directory / stale).unlink(missing_ok=True)
    shutil.rmtree(directory / "tensorboard", ignore_errors=True)
    write_json(path, wanted)
    return []
