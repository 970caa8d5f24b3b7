"""The CNN rows: a training run a loss and seed, each in a folder that is reused while it stands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.shards import file_sha256
from warptag import provenance
from warptag.annotation.calibration import (
    CALIBRATION,
    Calibration,
    fit_calibration,
    load_calibration,
)
from warptag.data import Records
from warptag.experiments.data import is_synthetic
from warptag.experiments.experiment import METHODS, Experiment
from warptag.files import read_json, write_json, write_whole
from warptag.models import AlexNet, Backbone
from warptag.training import TrainingSettings, predict, train
from warptag.training.run_folder import TIMING
from warptag.training.strategy import is_chief

CODE = (
    "warptag.backends",
    "warptag.data",
    "warptag.keras_api",
    "warptag.labels",
    "warptag.losses",
    "warptag.metrics",
    "warptag.training",
)


@dataclass(frozen=True)
class Run:
    """One finished training run.

    Attributes:
        settings: every choice of the run, as in its `settings.json`.
        history: one row an epoch.
        scores: float32 (num_test_images, num_tags).
        calibration: from scores to probabilities; None where none could be fitted.
        measured: seconds, images a second, commit and device, as measured when it was trained.
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
        strategy: where and how to train, one of `warptag.training.STRATEGIES`.
        tensorboard: also write logs for TensorBoard into the run's folder.
    """

    def __init__(
        self, experiment: Experiment, data: Path, strategy: str = "auto", tensorboard: bool = False
    ):
        share = experiment.validation_share
        self.experiment, self.data = experiment, data
        self.strategy, self.tensorboard = strategy, tensorboard
        self.fit = Records(data, "train", "fit", share)
        self.validation = Records(data, "train", "validation", share)
        info = self.fit.info
        self.context = {
            "experiment": experiment.name,
            "crop_size": experiment.crop_size,
            "network": _description(experiment),
            "patches": experiment.patches,
            "selection_k": experiment.selection_k,
            "validation_share": share,
            "strategy": strategy,
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
            "code": provenance.code_checksum(*CODE, _module(experiment)),
            "versions": provenance.versions("tensorflow", "keras", "numpy"),
        }

    @cached_property
    def test(self) -> Records:
        return Records(self.data, "test")

    def run(self, settings: TrainingSettings, directory: Path) -> Run:
        """The run of these settings in this folder: read when it stands, else trained."""
        finished = self._finished(settings, directory)
        if finished is not None:
            return finished
        name = f"{METHODS[settings.loss]}, seed {settings.seed}"
        model, _ = self._train(name, settings, directory)
        scores = predict(model, self.test, self.experiment.patches)
        write_whole(directory / "test_scores.npy", lambda path: np.save(path, scores))
        timing = pd.read_csv(directory / TIMING)
        seconds = float(timing["seconds"].sum())
        num_images = float((timing["seconds"] * timing["images_per_second"]).sum())
        # Written last: a folder with it is finished.
        write_json(
            directory / "run.json",
            {
                "seconds": round(seconds, 1),
                "images_per_second": round(num_images / seconds, 1),
                "commit": provenance.commit(),
                "device": provenance.device(),
            },
        )
        run = self._finished(settings, directory)
        assert run is not None
        return run

    def validation_figures(
        self, name: str, settings: TrainingSettings, directory: Path
    ) -> dict[str, float]:
        """Train, and return the validation figures of the last epoch (for the search)."""
        _, history = self._train(name, settings, directory)
        last = history.iloc[-1].to_dict()
        return {figure: last[figure] for figure in last if figure.startswith("val_")}

    def train(
        self, name: str, settings: TrainingSettings, directory: Path, **options: Any
    ) -> tuple[keras.Model, pd.DataFrame]:
        """Train the experiment's network, as `warptag.training.train` with its options, and fit
        its calibration to the validation images."""

        def make_model():
            experiment = self.experiment
            shape = (experiment.crop_size, experiment.crop_size, 3)
            arguments = {
                "num_tags": len(self.fit.info.tag_names),
                "input_shape": shape,
                "seed": settings.seed,
                **experiment.network,
            }
            try:
                if experiment.backbone is None:
                    return AlexNet(**arguments)
                return Backbone(experiment.backbone, weights=experiment.weights, **arguments)
            except ValueError as error:
                raise InputError(f"the network cannot be made: {error}") from None

        model, history = train(
            name,
            make_model,
            self.fit,
            self.validation,
            settings,
            directory,
            k=self.experiment.selection_k,
            context=self.context,
            strategy=self.strategy,
            **options,
        )
        if is_chief(self.strategy) and not (directory / CALIBRATION).exists():
            scores = predict(model, self.validation, self.experiment.patches)
            calibration = fit_calibration(scores, self.validation.labels)
            if calibration is not None:
                calibration.save(directory)
        return model, history

    def _train(self, name: str, settings: TrainingSettings, directory: Path):
        (directory / "run.json").unlink(missing_ok=True)
        return self.train(name, settings, directory, tensorboard=self.tensorboard)

    def _finished(self, settings: TrainingSettings, directory: Path) -> Run | None:
        wanted = json.loads(json.dumps({**asdict(settings), **self.context}))
        measured = read_json(directory / "run.json")
        if measured is None or read_json(directory / "settings.json") != wanted:
            return None
        try:
            history = pd.read_csv(directory / "history.csv")
            scores = np.load(directory / "test_scores.npy")
        except (OSError, ValueError):  # missing or damaged: made again
            return None
        return Run(wanted, history, scores, load_calibration(directory), measured)


def _module(experiment: Experiment) -> str:
    """Where the code of the experiment's network is."""
    return "warptag.models.alexnet" if experiment.backbone is None else "warptag.models.backbone"


def _description(experiment: Experiment) -> dict[str, Any]:
    """The choices of the network, with a file of weights by what it holds."""
    if experiment.backbone is None:
        return experiment.network
    weights = experiment.weights
    if weights not in (None, "imagenet"):
        weights = f"sha256 {file_sha256(Path(weights))}"
    return {"backbone": experiment.backbone, "weights": weights, **experiment.network}
