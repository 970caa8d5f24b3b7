"""Training one network with one loss, in a folder that a stopped run goes on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from tfrecords_tools.errors import InputError
from warptag.data import Records, input_errors
from warptag.training import run_folder
from warptag.training.logs import Logs
from warptag.training.loop import Loop
from warptag.training.settings import TrainingSettings
from warptag.training.strategy import is_chief, make_engine


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
    strategy: str = "auto",
    begin_anew: run_folder.BeginAnew = "changed",
    checkpoint_minutes: float = 10.0,
    tensorboard: bool = False,
    profile: bool = False,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train, or go on from the last checkpoint in the folder.

    On one CPU a run that was killed at any moment and made again ends with the weights of an
    undisturbed one, bit for bit.

    Args:
        name: of the run, in what is shown.
        make_model: makes the network, in the strategy's scope; its input is the crop.
        records: images to fit.
        validation: images for the figures of every epoch.
        settings: every other choice.
        directory: for `settings.json`, `history.csv`, `timing.csv`, checkpoints and `model.keras`,
            which is written last: a folder with it is finished. Several machines must share it.
        k: tags an image for the validation figures.
        context: what else decides the run (data, network, strategy, versions), as JSON values.
        strategy: one of `STRATEGIES`.
        begin_anew: whether an earlier run in the folder is removed, see `run_folder.claim`.
        checkpoint_minutes: a checkpoint is written after so long, beside that of each epoch.
        tensorboard: also write logs for TensorBoard to `directory/tensorboard`.
        profile: also profile a few steps, for TensorBoard.

    Returns:
        The trained model and one row an epoch: loss, learning rate, validation figures as
        fractions of 1.

    Raises:
        TrainingDiverged: the loss became NaN or infinite; the last checkpoint is kept.
        InputError: there are fewer images than one batch, a record is damaged, the folder holds
            another run, or the cluster or the disk fails.

    Example:
        >>> from warptag.data import Records
        >>> from warptag.models import AlexNet
        >>> records = Records("records", "train")
        >>> model, history = train(
        ...     "warp, seed 0",
        ...     lambda: AlexNet(3, input_shape=(56, 56, 3), width=0.0625, dense_units=16),
        ...     records,
        ...     Records("records", "test"),
        ...     TrainingSettings("warp", learning_rate=0.01, epochs=1, batch_size=2),
        ...     Path("run"),
        ...     k=1,
        ...     context={"data": records.info.checksum},
        ... )
        >>> history["epoch"].tolist()
        [1]
    """
    num_tags = len(records.info.tag_names)
    if not 1 <= k <= num_tags:
        raise InputError(
            f"k = {k} tags an image for the validation figures, of {num_tags} tags in "
            f"{records.directory}; choose another with --set selection_k=..."
        )
    chief = is_chief(strategy)
    if chief:
        # Before the machines meet, so that all of them find the folder in one state.
        run_folder.claim(directory, {**asdict(settings), **context}, begin_anew)
    # Before anything else of TensorFlow: several machines must meet first, and then all see
    # whether the run is finished.
    engine = make_engine(strategy, settings)
    if (directory / run_folder.MODEL).exists():
        return run_folder.load_finished(directory)
    if len(records) < settings.batch_size:
        raise InputError(
            f"{records.directory}: {len(records)} training images are fewer than one batch of "
            f"{settings.batch_size}; convert more images or choose a smaller batch"
        )
    loop = Loop(
        name,
        make_model,
        records,
        validation,
        settings,
        directory,
        k,
        engine,
        chief,
        checkpoint_minutes,
        Logs(directory / "tensorboard" if chief else None, tensorboard, profile),
    )
    try:
        with input_errors():
            return loop.run()
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        raise InputError(
            "a process of the cluster stopped or cannot be reached "
            f"({error.message.splitlines()[0][:200]}); start the processes again and run the same "
            "command again, it goes on from the last checkpoint"
        ) from error
