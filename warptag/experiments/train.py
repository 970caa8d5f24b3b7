"""One training run of an experiment, on its own data or on any records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from warptag.experiments.assignments import assign
from warptag.experiments.data import convert_data
from warptag.experiments.experiment import Experiment
from warptag.experiments.networks import Networks
from warptag.models import check_backbone_name

#: Before the scores of a backbone; the paper's 0.6 is for its wide hidden layers.
BACKBONE_DROPOUT = 0.2


def train_experiment(
    experiment: Experiment,
    loss: str,
    output: Path,
    *,
    records: Path | None = None,
    input_dir: Path | None = None,
    backbone: str | None = None,
    weights: str | None = None,
    assignments: Sequence[str] = (),
    logging: Callable[[str], None] = print,
    **options: Any,
) -> Path:
    """Trains one network, or resumes.

    Args:
        experiment: data, network and training.
        loss: "softmax", "ranking" or "warp".
        output: folder of the run, `models/LOSS` in it, and of the data, `data`.
        records: a folder of records to train on instead of the experiment's data.
        input_dir: folder of the original data set, where the source needs one.
        backbone: name of a network of `keras.applications` to train in place of the paper's.
        weights: weights of the backbone at the start: None for random ones, "imagenet", or a file.
        assignments: changes to the experiment's choices, see `assignments.assign`.
        logging: called with one line of text at a time.
        **options: options of `warptag.training.train`.

    Returns:
        The run's folder.

    Raises:
        InputError: something is wrong with the input, the settings or the output.
    """
    settings = experiment.settings_for(loss, experiment.training.seed, experiment.chosen[loss])
    if backbone is not None:
        experiment = _with_backbone(experiment, backbone, weights)
    crop_size = experiment.crop_size
    experiment, settings = assign(experiment, settings, assignments)
    if records is None:
        records = output / "data"
        source_settings = _with_size_for(experiment, crop_size)
        convert_data(experiment, source_settings, input_dir, records, logging)
    networks = Networks(experiment, records, **options)
    num_images = len(networks.records)
    if num_images < settings.batch_size:
        logging(
            f"{records}: batches of its {num_images} training images, not of {settings.batch_size}"
        )
        settings = replace(settings, batch_size=num_images)
    directory = output / "models" / loss
    _, history = networks.train(networks.name_of(settings), settings, directory)
    logging(f"{directory}: {len(history)} epochs, loss {history['loss'].iloc[-1]:.3f}")
    return directory


def _with_size_for(experiment: Experiment, crop_size: int) -> dict[str, Any]:
    """The source's settings, with images that are larger in proportion if the crop is."""
    settings = experiment.source_settings
    if settings.get("size") is None or experiment.crop_size == crop_size:
        return settings
    return {**settings, "size": round(settings["size"] * experiment.crop_size / crop_size)}


def _with_backbone(experiment: Experiment, name: str, weights: str | None) -> Experiment:
    """The experiment with another network; errors are found before data are converted."""
    check_backbone_name(name)
    if weights not in (None, "imagenet") and not (
        os.path.isfile(weights) and os.access(weights, os.R_OK)
    ):
        raise InputError(
            f"{weights} is no file that can be read; expected imagenet, or a file of the weights "
            f"of {name} without its classifier, such as Keras's *_notop.h5"
        )
    network = {"dropout": BACKBONE_DROPOUT}
    return replace(experiment, backbone=name, weights=weights, network=network)
