"""Training one network with one loss, by `compile`, `fit` and callbacks, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.lock import one_at_a_time
from warptag.data import Records, input_errors
from warptag.training import run_folder
from warptag.training.checkpoint import Checkpoint, checkpoints, writing
from warptag.training.compile import compiled, state_of
from warptag.training.device import on_tensorflow, out_of_memory, strategy_of_this_machine
from warptag.training.divergence import StopOnDivergence
from warptag.training.predict import BATCH_SIZE
from warptag.training.progress import Progress
from warptag.training.settings import TrainingSettings
from warptag.training.validation_metrics import CountInValidation

#: Increase it with every code change that alters the weights of the same settings and data.
VERSION = 2
#: The validation metric that the plateau, early stopping and keep="best" monitor.
MONITOR = "val_per_class_recall"
#: The first and the last step of a profile.
PROFILED = (10, 20)


@one_at_a_time("directory")
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
    finished: Callable[[keras.Model], keras.Model] = lambda network: network,
    strategy: tf.distribute.Strategy | None = None,
    on_existing: run_folder.OnExisting = "replace_if_changed",
    tensorboard: bool = False,
    profile: bool = False,
) -> tuple[keras.Model, pd.DataFrame]:
    """Trains a network, or resumes from the last checkpoint in the folder.

    On one CPU, a run that was killed at any moment and resumed ends with the same weights, bit for
    bit, as one that was not interrupted. With the TensorFlow backend it uses the CPU, one GPU, all
    GPUs of this machine (`MirroredStrategy`), or the workers of the cluster that TF_CONFIG
    describes (see `warptag.training.asynchronous`). With JAX or PyTorch it uses one device.

    Args:
        name: the name of the run, for progress and messages.
        make_model: a function that returns the network, from uint8 crops to scores.
        records: the training images.
        validation: the images for the validation metrics of every epoch.
        settings: the settings of the run.
        directory: the folder for `settings.json`, `history.csv`, `timing.csv`, the checkpoints and
            `model.keras`, which is written last: with it, the run is finished.
        k: the number of tags per image for the validation metrics.
        context: whatever else determines the run (data, network), as JSON values.
        finished: a function from the trained network to the one that is saved and returned, as
            when the trained network is only a part of it.
        strategy: the distribution strategy of TensorFlow; None chooses as described above.
        on_existing: what happens to an earlier run in the folder: "refuse" raises an error if its
            settings differ, "replace_if_changed" replaces it if its settings differ, "replace"
            always replaces it.
        tensorboard: whether to write logs for TensorBoard to `directory/tensorboard`.
        profile: whether to profile a few steps for TensorBoard.

    Returns:
        The trained model, and a table with one row per epoch: epoch, loss, learning_rate and the
        validation metrics, as fractions of 1.

    Raises:
        TrainingDiverged: the loss became NaN or infinite; checkpoints are kept.
        OtherRun: the folder contains a run with other settings.
        InUse: another process trains in the folder.
        InputError: there are fewer images than one batch, the replicas cannot share a batch, a
            record is damaged, the memory is too small for a batch, or the cluster or the disk
            fails.

    Example:
        >>> from warptag.data import Records
        >>> from warptag.models import AlexNet
        >>> records = Records("records", "train")
        >>> model, history = train(
        ...     "warp, seed 0",
        ...     lambda: AlexNet(3, input_shape=(56, 56, 3), width=0.0625, dense_units=16),
        ...     records,
        ...     Records("records", "validation"),
        ...     TrainingSettings("warp", learning_rate=0.01, epochs=1, batch_size=2),
        ...     Path("run"),
        ...     k=1,
        ...     context={"data": records.info.checksum},
        ... )
        >>> history["epoch"].tolist()
        [1]
    """
    strategy = strategy or strategy_of_this_machine()
    # Before an earlier run in the folder is replaced.
    _check(records, settings, k, strategy.num_replicas_in_sync)
    run_folder.claim(directory, identity(settings, context), on_existing)
    if (directory / run_folder.MODEL).exists():
        return run_folder.load_finished(directory)
    run_folder.remove_made_of_model(directory)

    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    steps_per_epoch = len(records) // settings.batch_size
    chief = _chief_of_cluster()
    with chief.strategy.scope() if chief else strategy.scope():
        network, model, metric = compiled(make_model, settings, steps_per_epoch, k)

    def batches(first_epoch: int) -> tf.data.Dataset:
        return records.training(
            crop_size=network.input_shape[1],
            batch_size=settings.batch_size,
            seed=settings.seed,
            first_epoch=first_epoch,
            flip=settings.flip,
            window_area=settings.window_area,
        )

    def images_of(epoch: int, step: int):
        return next(batches(epoch).skip(step).as_numpy_iterator())[0]

    progress = Progress(name, steps_per_epoch, settings.batch_size, settings.epochs)
    watching = _watching_callbacks(settings)
    checkpoint = Checkpoint(directory, lambda: state_of(model), watching, progress)
    divergence = StopOnDivergence(name, images_of)
    callbacks = [CountInValidation(metric), divergence, progress, *watching, checkpoint]
    if tensorboard or profile:
        logs = directory / "tensorboard"
        try:
            str(logs).encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{logs} is not a name in UTF-8, which TensorBoard needs; choose another folder"
            ) from None
        callbacks.append(
            keras.callbacks.TensorBoard(logs, profile_batch=PROFILED if profile else 0)
        )
    first_epoch = checkpoint.restore()
    crops = validation.evaluation(crop_size=network.input_shape[1], batch_size=BATCH_SIZE)
    arguments = {
        "epochs": first_epoch if checkpoint.stopped else settings.epochs,
        "initial_epoch": first_epoch,
        "steps_per_epoch": steps_per_epoch,
        "callbacks": callbacks,
    }
    with input_errors(), out_of_memory(name, settings), divergence.explained(), progress:
        if chief:
            # A copy outside the strategy's scope, since Keras cannot evaluate inside it.
            network, copy, _ = compiled(make_model, settings, steps_per_epoch, k)

            def evaluate() -> dict[str, float]:
                copy.set_weights(model.get_weights())
                return copy.evaluate(crops, return_dict=True, verbose=0)

            chief.fit(model, batches(first_epoch), evaluate=evaluate, **arguments)
            network.set_weights(model.get_weights())
        else:
            model.fit(
                batches(first_epoch),
                validation_data=crops,
                shuffle=False,
                verbose=0,
                **arguments,
            )
    network = finished(network)
    with writing(directory / run_folder.MODEL) as temporary:
        network.save(temporary)
    for path in checkpoints(directory):
        path.unlink(missing_ok=True)
    return network, pd.DataFrame(checkpoint.history)


def identity(settings: TrainingSettings, context: dict[str, Any]) -> dict[str, Any]:
    """Everything that determines a run."""
    return {**asdict(settings), **context, "training_version": VERSION}


def _watching_callbacks(settings: TrainingSettings) -> list[keras.callbacks.Callback]:
    """The Keras callbacks that monitor the validation metric."""
    callbacks: list[keras.callbacks.Callback] = []
    if settings.keep == "best" or settings.early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                MONITOR,
                mode="max",
                patience=settings.early_stopping or settings.epochs,
                restore_best_weights=settings.keep == "best",
            )
        )
    if settings.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                MONITOR,
                mode="max",
                factor=settings.decay_factor,
                patience=settings.patience,
                min_delta=0,
            )
        )
    return callbacks


def _check(records: Records, settings: TrainingSettings, k: int, num_replicas: int) -> None:
    """Raises InputError if data, settings and hardware do not fit together."""
    num_tags = len(records.info.tag_names)
    if not 1 <= k <= num_tags:
        raise InputError(
            f"k = {k} tags per image for the validation metrics; expected 1 to {num_tags}, the "
            f"number of tags in {records.directory}"
        )
    steps_per_epoch = len(records) // settings.batch_size
    if not steps_per_epoch:
        raise InputError(
            f"{records.directory}: the {len(records)} images of {records.split!r} are fewer than "
            f"one batch of {settings.batch_size}; convert more images or choose a smaller batch"
        )
    if settings.batch_size % num_replicas:
        raise InputError(
            f"batch_size {settings.batch_size} cannot be divided among {num_replicas} replicas; "
            f"choose a multiple of {num_replicas}"
        )
    if steps_per_epoch % settings.steps_per_execution:
        raise InputError(
            f"steps_per_execution {settings.steps_per_execution} does not divide the "
            f"{steps_per_epoch} steps of an epoch; leave it at 1"
        )
    if settings.steps_per_execution > 1 and keras.backend.backend() == "torch":
        raise InputError("steps_per_execution must be 1 with PyTorch")
    if settings.jit_compile == "on" and num_replicas > 1:
        raise InputError("jit_compile=on works with a single replica only; leave it at auto")


def _chief_of_cluster():
    """The chief of the cluster that TF_CONFIG describes; None if it is not set."""
    if not os.environ.get("TF_CONFIG"):
        return None
    from warptag.training.asynchronous import Chief, this_task

    if not on_tensorflow():
        raise InputError(
            "TF_CONFIG is set, but training on a cluster needs KERAS_BACKEND=tensorflow"
        )
    task = this_task()
    return None if task is None else Chief(task)
