"""One training run of an experiment, on its own data or on any records."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_bytes
from warptag.experiments import Experiment, Photographs
from warptag.experiments import Networks as NetworkChoices
from warptag.experiments.pretrained import FINE_TUNING, pretrained_networks
from warptag.models import IMAGENET, check_backbone_name, default_size
from warptag.pipeline.data import convert_photographs
from warptag.pipeline.networks import Networks
from warptag.pipeline.pretrained import FineTunedNetworks, PretrainedNetworks
from warptag.pipeline.search import chosen_settings, listed, search
from warptag.training import TrainingSettings

logger = logging.getLogger(__name__)

#: The dropout rate of a backbone. The paper's 0.6 is for the wide hidden layers of its network.
BACKBONE_DROPOUT = 0.2
#: With fewer validation images, the metrics are too uncertain to choose settings by.
MIN_SEARCH_IMAGES = 50


def train_network(
    experiment: Experiment,
    settings: TrainingSettings,
    output: Path,
    *,
    records: Path | None = None,
    input_dir: Path | None = None,
    searched: bool = False,
    fixed_batch: bool = False,
    **options: Any,
) -> Path:
    """Trains one network, or resumes.

    Args:
        experiment: the experiment that declares the network and the data.
        settings: the settings of the training.
        output: the folder of the results. The run goes to `models/LOSS` in it, records to `data`,
            and the features of a pretrained network to `features`.
        records: a folder of records to train on instead of the experiment's data.
        input_dir: the folder of the original data set, if the experiment needs one.
        searched: whether to choose the settings of the loss by a search on validation images.
        fixed_batch: whether to keep the batch size also if an epoch has few steps with it.
        **options: options of `warptag.training.train`.

    Returns:
        The folder of the run.

    Raises:
        InputError: the input, the settings or the output folder cannot be used.
    """
    choices = experiment.networks
    assert choices is not None
    records = records or _convert(experiment, input_dir, output)
    networks: Networks
    if choices.pretrained:
        networks = PretrainedNetworks(
            experiment.name, choices, records, output / "features", **options
        )
        if not fixed_batch:
            settings = replace(settings, batch_size=networks.networks.training["batch_size"])
    else:
        networks = Networks(experiment.name, choices, records, **options)
    settings = _with_small_batch(settings, networks)
    if searched:
        settings = _searched(networks, settings, output)
    return _train(networks, settings, output / "models" / settings.loss)


def fine_tune(
    experiment: Experiment,
    settings: TrainingSettings,
    output: Path,
    *,
    records: Path | None = None,
    input_dir: Path | None = None,
    **options: Any,
) -> Path:
    """Trains all weights of a pretrained network whose head is trained, or resumes.

    Args:
        experiment: the experiment that declares the network.
        settings: the settings of the training.
        output: the folder of the results, with the finished run of the head in `models/LOSS`. The
            new run goes to `models/LOSS-finetuned`.
        records: a folder of records to train on instead of the experiment's data.
        input_dir: the folder of the original data set, if the experiment needs one.
        **options: options of `warptag.training.train`.

    Returns:
        The folder of the new run.

    Raises:
        InputError: the run, the records or the settings cannot be used.
    """
    assert experiment.networks is not None
    records = records or _convert(experiment, input_dir, output)
    run = output / "models" / settings.loss
    networks = FineTunedNetworks(experiment.name, experiment.networks, records, run, **options)
    directory = run.with_name(f"{run.name}-finetuned")
    return _train(networks, _with_small_batch(settings, networks), directory)


def with_crop_size(experiment: Experiment, choices: NetworkChoices) -> Experiment:
    """The experiment with other networks; photographs are stored in proportion to the crop, and
    whole at the size of the crop for a pretrained network."""
    assert experiment.networks is not None and isinstance(experiment.data, Photographs)
    data, size = experiment.data, experiment.data.settings.get("size")
    if choices.pretrained:
        size = choices.crop_size
    elif size is not None and choices.crop_size != experiment.networks.crop_size:
        size = round(size * choices.crop_size / experiment.networks.crop_size)
    data = replace(data, settings={**data.settings, "size": size})
    return replace(experiment, data=data, networks=choices)


def with_backbone(choices: NetworkChoices, name: str) -> NetworkChoices:
    """The choices with a network of `keras.applications`, trained from random weights, instead of
    the paper's.

    Raises:
        InputError: there is no such network.
    """
    check_backbone_name(name)
    return replace(choices, backbone=name, architecture={"dropout": BACKBONE_DROPOUT})


def with_pretrained(choices: NetworkChoices, name: str, weights: str) -> NetworkChoices:
    """A head over a pretrained network of `keras.applications` instead of the paper's network.

    Raises:
        InputError: there is no such network, or the file of weights cannot be read.
    """
    check_backbone_name(name)
    if weights != IMAGENET and not (os.path.isfile(weights) and os.access(weights, os.R_OK)):
        raise InputError(
            f"{weights} cannot be read; expected imagenet, or a file of weights of {name} "
            "without its classifier, such as Keras's *_notop.h5"
        )
    return pretrained_networks(name, weights, default_size(name), choices.selection_k)


def fine_tuning_settings(loss: str) -> TrainingSettings:
    """The settings of fine-tuning before any is changed."""
    return TrainingSettings(**{**FINE_TUNING, "loss": loss})


def _convert(experiment: Experiment, input_dir: Path | None, output: Path) -> Path:
    assert isinstance(experiment.data, Photographs)
    folder = output / "data"
    convert_photographs(experiment.data, experiment.data.settings, input_dir, folder)
    return folder


def _with_small_batch(settings: TrainingSettings, networks: Networks) -> TrainingSettings:
    """The settings with no more images per batch than there are."""
    num_images = len(networks.records)
    if num_images >= settings.batch_size:
        return settings
    logger.info(
        "%s: the batch size is reduced from %d to %d, the number of training images",
        *(networks.folder, settings.batch_size, num_images),
    )
    return replace(settings, batch_size=num_images)


def _searched(networks: Networks, settings: TrainingSettings, output: Path) -> TrainingSettings:
    """The settings with those that the search chooses for the loss."""
    if len(networks.validation) < MIN_SEARCH_IMAGES:
        logger.info(
            "%s: %d validation images are too few to choose settings by; the defaults are used",
            *(networks.folder, len(networks.validation)),
        )
        return settings
    loss, directory = settings.loss, output / "models" / "search"
    table = search(networks, directory, [loss], base=settings)
    write_bytes(directory / f"{loss}.csv", table.to_csv(index=False).encode())
    chosen = chosen_settings(table)[loss]
    logger.info(
        "%s: chosen on the %d validation images: %s",
        *(directory / f"{loss}.csv", len(networks.validation), listed(chosen)),
    )
    return replace(settings, **chosen)


def _train(networks: Networks, settings: TrainingSettings, directory: Path) -> Path:
    _, history = networks.train(networks.name_of(settings), settings, directory)
    logger.info("%s: %d epochs, loss %.3f", directory, len(history), history["loss"].iloc[-1])
    return directory
