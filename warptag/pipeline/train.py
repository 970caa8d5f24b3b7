"""One training run of an experiment, on its own data or on any records."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from warptag.experiments import Experiment, Photographs
from warptag.experiments import Networks as NetworkChoices
from warptag.models import check_backbone_name
from warptag.pipeline.data import convert_photographs
from warptag.pipeline.networks import Networks
from warptag.training import TrainingSettings

logger = logging.getLogger(__name__)

#: The dropout rate of a backbone. The paper's 0.6 is for the wide hidden layers of its network.
BACKBONE_DROPOUT = 0.2


def train_network(
    experiment: Experiment,
    settings: TrainingSettings,
    output: Path,
    *,
    records: Path | None = None,
    input_dir: Path | None = None,
    **options: Any,
) -> Path:
    """Trains one network, or resumes.

    Args:
        experiment: the experiment that declares the network and the data.
        settings: the settings of the training.
        output: the folder of the results. The run goes to `models/LOSS` in it, records to `data`.
        records: a folder of records to train on instead of the experiment's data.
        input_dir: the folder of the original data set, if the experiment needs one.
        **options: options of `warptag.training.train`.

    Returns:
        The folder of the run.

    Raises:
        InputError: the input, the settings or the output folder cannot be used.
    """
    assert experiment.networks is not None and isinstance(experiment.data, Photographs)
    if records is None:
        records = output / "data"
        convert_photographs(experiment.data, experiment.data.settings, input_dir, records)
    networks = Networks(experiment.name, experiment.networks, records, **options)
    num_images = len(networks.records)
    if num_images < settings.batch_size:
        logger.info(
            "%s: the batch size is reduced from %d to %d, the number of training images",
            *(records, settings.batch_size, num_images),
        )
        settings = replace(settings, batch_size=num_images)
    directory = output / "models" / settings.loss
    _, history = networks.train(networks.name_of(settings), settings, directory)
    logger.info("%s: %d epochs, loss %.3f", directory, len(history), history["loss"].iloc[-1])
    return directory


def with_crop_size(experiment: Experiment, choices: NetworkChoices) -> Experiment:
    """The experiment with other networks; photographs are stored in proportion to the crop."""
    assert experiment.networks is not None and isinstance(experiment.data, Photographs)
    data, size = experiment.data, experiment.data.settings.get("size")
    if size is not None and choices.crop_size != experiment.networks.crop_size:
        size = round(size * choices.crop_size / experiment.networks.crop_size)
        data = replace(data, settings={**data.settings, "size": size})
    return replace(experiment, data=data, networks=choices)


def with_backbone(choices: NetworkChoices, name: str, weights: str | None) -> NetworkChoices:
    """The choices with a network of `keras.applications` instead of the paper's.

    Raises:
        InputError: there is no such network, or the file of weights cannot be read.
    """
    check_backbone_name(name)
    if weights not in (None, "imagenet") and not (
        os.path.isfile(weights) and os.access(weights, os.R_OK)
    ):
        raise InputError(
            f"{weights} cannot be read; expected imagenet, or a file of weights of {name} "
            "without its classifier, such as Keras's *_notop.h5"
        )
    architecture = {"dropout": BACKBONE_DROPOUT}
    return replace(choices, backbone=name, weights=weights, architecture=architecture)
