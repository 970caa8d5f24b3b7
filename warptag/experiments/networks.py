"""The CNN rows: one training run per loss and seed, each in a folder from which it is reused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json, write_json, write_whole
from tfrecords_tools.shards import file_sha256
from warptag import provenance
from warptag.data import Records
from warptag.experiments.data import is_synthetic
from warptag.experiments.experiment import METHODS, Experiment
from warptag.models import AlexNet, Backbone
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
from warptag.training.run_folder import MEASURED, SETTINGS, TEST_SCORES


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Attributes:
        settings: every choice of the run, as in its `settings.json`.
        history: one row per epoch.
        scores: float32 (num_test_images, num_tags).
        calibration: from scores to probabilities; None where none could be fitted.
        measured: seconds, images per second, device, versions, commit and checksum of the code,
            as of when it was trained.
    """

    settings: dict[str, Any]
    history: pd.DataFrame
    scores: np.ndarray
    calibration: Calibration | None
    measured: dict[str, Any]


class Networks:
    """Trains the experiment's network on its data.

    Args:
        experiment: the choices.
        data: folder of the converted data set.
        **options: options of `warptag.training.train` for every run.
    """

    def __init__(self, experiment: Experiment, data: Path, **options: Any):
        self.experiment, self.data, self.options = experiment, data, options
        self.records, self.validation = Records(data, "train"), Records(data, "validation")
        info = self.records.info
        self.context = {
            "experiment": experiment.name,
            "crop_size": experiment.crop_size,
            "network": _description(experiment),
            "patches": experiment.patches,
            "selection_k": experiment.selection_k,
            "image": {
                "size": info.settings.get("size"),
                "shorter_side": bool(info.settings.get("shorter_side")),
            },
            "data": {
                "name": info.name,
                "images": {name: split.num_images for name, split in info.splits.items()},
                "synthetic": is_synthetic(info),
            },
            "data_checksum": info.checksum,
            "tag_names": info.tag_names,
        }

    @cached_property
    def test(self) -> Records:
        return Records(self.data, "test")

    def run(self, settings: TrainingSettings, directory: Path) -> Run:
        """The run of these settings in this folder, with its scores of the test images."""
        model, history = self.train(self.name_of(settings), settings, directory)
        try:
            scores = np.load(directory / TEST_SCORES)
        except (OSError, ValueError):  # missing or damaged
            scores = predict(model, self.test, self.experiment.patches)
            with write_whole(directory / TEST_SCORES) as temporary:
                np.save(temporary, scores)
        return Run(
            read_json(directory / SETTINGS),
            history,
            scores,
            load_calibration(directory),
            read_json(directory / MEASURED),
        )

    def name_of(self, settings: TrainingSettings) -> str:
        """The name of a run, such as "CNN + WARP, seed 0"."""
        return f"{METHODS[settings.loss]}, seed {settings.seed}"

    def train(
        self, name: str, settings: TrainingSettings, directory: Path
    ) -> tuple[keras.Model, pd.DataFrame]:
        """Trains the experiment's network, as `warptag.training.train`, and fits its calibration
        to the validation images."""
        model, history = train(
            name,
            lambda: self._make_model(settings.seed),
            self.records,
            self.validation,
            settings,
            directory,
            k=self.experiment.selection_k,
            context=self.context,
            **self.options,
        )
        if not (directory / CALIBRATION).exists():
            scores = predict(model, self.validation, self.experiment.patches)
            calibration = fit_calibration(scores, self.validation.labels)
            if calibration is not None:
                calibration.save(directory)
        if read_json(directory / MEASURED) is None:
            write_json(directory / MEASURED, _measured(directory))
        return model, history

    def _make_model(self, seed: int) -> keras.Model:
        experiment = self.experiment
        arguments = {
            "num_tags": len(self.records.info.tag_names),
            "input_shape": (experiment.crop_size, experiment.crop_size, 3),
            "seed": seed,
            **experiment.network,
        }
        try:
            if experiment.backbone is None:
                return AlexNet(**arguments)
            return Backbone(experiment.backbone, weights=experiment.weights, **arguments)
        except ValueError as error:
            raise InputError(f"the network cannot be made: {error}") from None


def _description(experiment: Experiment) -> dict[str, Any]:
    """The choices of the network, with a file of weights by what it holds."""
    if experiment.backbone is None:
        return experiment.network
    weights = experiment.weights
    if weights not in (None, "imagenet"):
        weights = f"sha256 {file_sha256(Path(weights))}"
    return {"backbone": experiment.backbone, "weights": weights, **experiment.network}


def _measured(directory: Path) -> dict[str, Any]:
    """How long a finished run took, on what, and by which code."""
    timing = pd.read_csv(directory / TIMING)
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
