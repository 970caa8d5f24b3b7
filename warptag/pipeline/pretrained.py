"""Networks that were trained on other photographs: a head over their features, or all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfrecords_tools.errors import InputError
from warptag import experiments
from warptag.data import FeatureRecords, Records
from warptag.methods import method_of
from warptag.models import (
    IMAGENET,
    FeatureNetwork,
    Head,
    PretrainedNetwork,
    weights_folder,
)
from warptag.pipeline.evaluate import check_tags
from warptag.pipeline.networks import Networks, invalid_network
from warptag.pipeline.side_by_side import Task
from warptag.training import TrainingSettings, load_run
from warptag.training.run_folder import MODEL

logger = logging.getLogger(__name__)

#: The batch size is reduced for at least so many steps per epoch, but not below the minimum.
MIN_STEPS, MIN_BATCH_SIZE = 8, 16


class PretrainedNetworks(Networks):
    """Trains heads over the features of a pretrained network, which are computed once.

    With few images, the batch size in `networks` is reduced to leave several steps per epoch.

    Args:
        experiment: the name of the experiment.
        networks: the pretrained network of the experiment.
        folder: the folder of the records.
        features: the folder in which the features are kept.
        **options: options of `warptag.training.train` for every run.
    """

    def __init__(
        self,
        experiment: str,
        networks: experiments.Networks,
        folder: Path,
        features: Path,
        **options: Any,
    ):
        super().__init__(experiment, networks, folder, **options)
        batch_size = _batch_size(networks.training["batch_size"], len(self.records))
        self.networks = replace(networks, training={**networks.training, "batch_size": batch_size})
        self.features = features
        self._splits: dict[str, FeatureRecords] = {}
        if not _has_choices(self.records.labels):
            raise InputError(
                f"{folder}: every image of {self.records.split!r} has all of its known tags or "
                "none, so there is nothing to learn; use at least two different tags"
            )

    def tasks(self, runs: Sequence[tuple[str, TrainingSettings, Path]], scored: bool) -> list[Task]:
        """None, since heads take seconds and share features in the memory of this process."""
        return []

    @cached_property
    def feature_network(self) -> keras.Model:
        """The pretrained network, from crops to features."""
        networks, size = self.networks, self.networks.crop_size
        assert networks.backbone is not None
        arguments = networks.backbone, (size, size, 3)
        with invalid_network():
            if networks.weights == IMAGENET:
                megabytes = FeatureNetwork(*arguments).count_params() * 4 / 1e6
                logger.info(
                    "%s: the weights of ImageNet, about %.0f MB, which Keras downloads to %s the "
                    "first time",
                    *(networks.backbone, megabytes, weights_folder()),
                )
            return FeatureNetwork(*arguments, networks.weights)

    def training_data(self, directory: Path) -> tuple[FeatureRecords, FeatureRecords]:
        train, validation = self._of_split("train"), self._of_split("validation")
        if not (directory / MODEL).exists():
            # Before the training, whose errors and devices they have nothing to do with.
            _ = train.features, validation.features
        return train, validation

    def make_model(self, seed: int) -> keras.Model:
        features = self._of_split("train").features
        with invalid_network():
            return Head(
                len(self.records.info.tag_names),
                features.mean(axis=(0, 1)),
                features.var(axis=(0, 1)),
                seed=seed,
                **self.networks.architecture,
            )

    def finished(self, model: keras.Model) -> keras.Model:
        return PretrainedNetwork(self.feature_network, model)

    def scores(self, model: keras.Model, split: str) -> np.ndarray:
        return self._of_split(split).scores(model.get_layer("head"))

    def _of_split(self, split: str) -> FeatureRecords:
        if split not in self._splits:
            self._splits[split] = FeatureRecords(
                Records(self.folder, split), self.feature_network, self.features
            )
        return self._splits[split]


class FineTunedNetworks(Networks):
    """Trains all weights of a network whose head was trained before.

    Args:
        experiment: the name of the experiment.
        networks: the pretrained network of the experiment.
        folder: the folder of the records.
        run: the folder of the finished run to start from.
        **options: options of `warptag.training.train` for every run.

    Raises:
        InputError: the run is not finished, not of a pretrained network, or was trained with
            another network or on other photographs.
    """

    def __init__(
        self,
        experiment: str,
        networks: experiments.Networks,
        folder: Path,
        run: Path,
        **options: Any,
    ):
        super().__init__(experiment, networks, folder, **options)
        self.start, settings = load_run(run, needs=("loss", "network"))
        if not method_of(settings).pretrained:
            raise InputError(
                f"{run} is a network that was trained from random weights; choose another folder "
                "for the head of a pretrained network"
            )
        check_tags(settings["tag_names"], self.records.info.tag_names, run, folder)
        self._check_same(settings, run)
        self.context["network"] = settings["network"]
        names = [field.name for field in fields(TrainingSettings)]
        self.context["head"] = {name: settings[name] for name in names if name in settings}

    def name_of(self, settings: TrainingSettings) -> str:
        return f"{super().name_of(settings)}, fine-tuning"

    def make_model(self, seed: int) -> keras.Model:
        features, head = (_copy(self.start.get_layer(name)) for name in ("features", "head"))
        _freeze_batch_normalization(features)
        return PretrainedNetwork(features, head, mirrored=False)

    def finished(self, model: keras.Model) -> keras.Model:
        return PretrainedNetwork(model.get_layer("features"), model.get_layer("head"))

    def _check_same(self, settings: dict[str, Any], run: Path) -> None:
        """Raises InputError unless the head is of this network and these photographs."""
        ours, theirs = self.context, settings
        pairs = {
            "backbone": (ours["network"]["backbone"], theirs["network"].get("backbone")),
            "weights": (ours["network"]["weights"], theirs["network"].get("weights")),
            "crop_size": (ours["crop_size"], theirs.get("crop_size")),
            "photographs": (ours["data_checksum"][:16], str(theirs.get("data_checksum"))[:16]),
        }
        for name, (now, before) in pairs.items():
            if now != before:
                raise InputError(
                    f"{run} was trained with other {name} ({before}, now {now}); train it again "
                    "before it is fine-tuned, or choose what it was trained with"
                )


def _batch_size(largest: int, num_images: int) -> int:
    return min(largest, num_images, max(MIN_BATCH_SIZE, num_images // MIN_STEPS))


def _has_choices(labels: np.ndarray) -> bool:
    """Whether some image has a tag and lacks another, so that the tags can be ranked.

    Args:
        labels: int (num_images, num_tags): 1, 0, or -1 for unknown.
    """
    return bool(((labels == 1).any(axis=1) & (labels == 0).any(axis=1)).any())


def _freeze_batch_normalization(model: keras.Model) -> None:
    """Keeps the averages of batch normalization, which are of far more images than the user's.

    Keras 3.15 ignores `training=False` for a model inside another one, which was the usual way.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _freeze_batch_normalization(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def _copy(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
