"""Training runs, one per loss and seed. Each has a folder, and a finished run is reused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_json, write_whole
from tfrecords_tools.lock import one_at_a_time
from tfrecords_tools.shards import file_sha256
from warptag import experiments, provenance
from warptag.csv_tables import read_numbers
from warptag.data import Records
from warptag.methods import network_method
from warptag.models import IMAGENET, AlexNet, Backbone
from warptag.pipeline.side_by_side import Task
from warptag.training import (
    Calibration,
    TrainingSettings,
    device,
    fit_calibration,
    load_calibration,
    predict,
    train,
)
from warptag.training.calibration import CALIBRATION
from warptag.training.checkpoint import TIMING
from warptag.training.run_folder import (
    MEASURED,
    TEST_SCORES,
    is_finished,
    load_measured,
    load_settings,
)
from warptag.training.train import identity


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Attributes:
        settings: every setting of the run, as in its `settings.json`.
        history: one row per epoch.
        scores: float32 (num_test_images, num_tags).
        calibration: the map from scores to probabilities; None if none could be fitted.
        measured: the seconds, images per second, device, versions, commit and code checksum of
            the training.
    """

    settings: dict[str, Any]
    history: pd.DataFrame
    scores: np.ndarray
    calibration: Calibration | None
    measured: dict[str, Any]


class Networks:
    """Trains the networks of an experiment on a folder of records.

    Args:
        experiment: the name of the experiment.
        networks: the networks of the experiment.
        folder: the folder of the records.
        **options: options of `warptag.training.train` for every run.
    """

    def __init__(
        self, experiment: str, networks: experiments.Networks, folder: Path, **options: Any
    ):
        self.experiment, self.networks = experiment, networks
        self.folder, self.options = folder, options
        self.records, self.validation = Records(folder, "train"), Records(folder, "validation")
        info = self.records.info
        # With all tags given, every network would have the same metrics.
        self.selection_k = min(networks.selection_k, max(1, len(info.tag_names) - 1))
        self.context: dict[str, Any] = {
            "experiment": experiment,
            "crop_size": networks.crop_size,
            "network": _description(networks),
            "patches": networks.patches,
            "selection_k": self.selection_k,
            "image": {
                "size": info.settings.get("size"),
                "shorter_side": bool(info.settings.get("shorter_side")),
            },
            "data": {
                "name": info.name,
                "images": {name: split.num_images for name, split in info.splits.items()},
                "synthetic": is_synthetic(info.name),
            },
            "data_checksum": info.checksum,
            "tag_names": info.tag_names,
        }

    @cached_property
    def test(self) -> Records:
        return Records(self.folder, "test")

    @one_at_a_time("directory")
    def run(self, settings: TrainingSettings, directory: Path) -> Run:
        """Trains a network, or reuses the run in the folder, and scores the test images."""
        model, history = self.train(self.name_of(settings), settings, directory)
        scores = self._saved_scores(directory)
        if scores is None:
            scores = self.scores(model, "test")
            with write_whole(directory / TEST_SCORES) as temporary:
                np.save(temporary, scores)
        return Run(
            load_settings(directory),
            history,
            scores,
            load_calibration(directory),
            load_measured(directory) or {},
        )

    def tasks(self, runs: Sequence[tuple[str, TrainingSettings, Path]], scored: bool) -> list[Task]:
        """The runs that are not complete, for `side_by_side.training`.

        Args:
            runs: the name, the settings and the folder of each run.
            scored: whether the test images are scored as well.
        """
        where = (self.experiment, self.networks, self.folder, self.options)
        return [
            Task(*where, name, asdict(settings), directory, scored)
            for name, settings, directory in runs
            if not self._is_complete(settings, directory, scored)
        ]

    def _is_complete(self, settings: TrainingSettings, directory: Path, scored: bool) -> bool:
        """Whether `train`, or `run` if the test images are scored, has nothing left to do."""
        if not is_finished(directory, identity(settings, self.context)):
            return False
        # Written last in `train`.
        if load_measured(directory) is None:
            return False
        return not scored or self._saved_scores(directory) is not None

    def _saved_scores(self, directory: Path) -> np.ndarray | None:
        return _load_scores(directory / TEST_SCORES, self.test.labels.shape)

    def name_of(self, settings: TrainingSettings) -> str:
        """The name of a run, such as "CNN + WARP, seed 0"."""
        method = network_method(settings.loss, self.networks.pretrained)
        return f"{method.label}, seed {settings.seed}"

    @one_at_a_time("directory")
    def train(
        self, name: str, settings: TrainingSettings, directory: Path
    ) -> tuple[keras.Model, pd.DataFrame]:
        """Trains one network, and fits its calibration on the validation images."""
        model, history = train(
            name,
            lambda: self.make_model(settings.seed),
            *self.training_data(directory),
            settings,
            directory,
            k=self.selection_k,
            context=self.context,
            finished=self.finished,
            **self.options,
        )
        if not (directory / CALIBRATION).exists():
            scores = self.scores(model, "validation")
            calibration = fit_calibration(scores, self.validation.labels)
            if calibration is not None:
                calibration.save(directory)
        if load_measured(directory) is None:
            write_json(directory / MEASURED, _measured(directory))
        return model, history

    def training_data(self, directory: Path) -> tuple[Any, Any]:
        """What the network of a folder is trained on, and validated on after each epoch."""
        return self.records, self.validation

    def finished(self, model: keras.Model) -> keras.Model:
        """The network that is saved, given the one that was trained."""
        return model

    def scores(self, model: keras.Model, split: str) -> np.ndarray:
        """The scores of a saved network, float32 (num_images, num_tags)."""
        return predict(model, Records(self.folder, split), self.networks.patches)

    def make_model(self, seed: int) -> keras.Model:
        """The network that is trained, before training."""
        networks = self.networks
        arguments = {
            "num_tags": len(self.records.info.tag_names),
            "input_shape": (networks.crop_size, networks.crop_size, 3),
            "seed": seed,
            **networks.architecture,
        }
        with invalid_network():
            if networks.backbone is None:
                return AlexNet(**arguments)
            return Backbone(networks.backbone, **arguments)


@contextmanager
def invalid_network() -> Iterator[None]:
    """Turns a ValueError about the arguments of a network into an InputError."""
    try:
        yield
    except InputError:  # a ValueError as well
        raise
    except ValueError as error:
        raise InputError(f"the network cannot be made: {error}") from None


def settings_of(
    networks: experiments.Networks,
    loss: str,
    seed: int = 0,
    candidate: dict[str, Any] | None = None,
) -> TrainingSettings:
    """The settings of one run.

    Args:
        networks: the networks of the experiment.
        loss: the id of the loss. One that the experiment does not know has the settings of WARP.
        seed: the seed of the run.
        candidate: the settings of the loss, such as the learning rate; None for those of the
            experiment.
    """
    of_loss = candidate or networks.chosen.get(loss, networks.chosen["warp"])
    return TrainingSettings(**{**networks.training, **of_loss, "loss": loss, "seed": seed})


def is_synthetic(dataset: str) -> bool:
    """Whether the pictures of a data set are rendered."""
    every_data = (experiment.data for experiment in experiments.EXPERIMENTS.values())
    return any(data.synthetic and data.source == dataset for data in every_data)


def _description(networks: experiments.Networks) -> dict[str, Any]:
    """The arguments of the architecture; a file of weights is identified by its checksum."""
    if networks.backbone is None:
        return networks.architecture
    weights = networks.weights
    if weights not in (None, IMAGENET):
        weights = f"sha256 {file_sha256(Path(weights))}"
    return {"backbone": networks.backbone, "weights": weights, **networks.architecture}


def _load_scores(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The scores in a file; None if it is missing or damaged."""
    try:
        scores = np.load(path, allow_pickle=False)
        return scores if scores.shape == shape and np.isfinite(scores).all() else None
    # A file of another format has no shape, and of text no finite numbers.
    except (OSError, EOFError, ValueError, AttributeError, TypeError):
        return None


def _measured(directory: Path) -> dict[str, Any]:
    """The time, the device, the versions and the code of a finished run."""
    columns = ("seconds", "images_per_second")
    fix = "remove the folder and train again"
    timing = read_numbers(directory / TIMING, columns, fix)
    seconds = float(timing["seconds"].sum())
    num_images = float((timing["seconds"] * timing["images_per_second"]).sum())
    backend = keras.backend.backend()
    return {
        "seconds": round(seconds, 1),
        "images_per_second": round(num_images / max(seconds, 1e-9), 1),
        "device": device(),
        "backend": backend,
        "versions": provenance.versions(*dict.fromkeys((backend, "tensorflow", "keras", "numpy"))),
        "commit": provenance.commit(),
        "code": provenance.code_checksum(),
    }
