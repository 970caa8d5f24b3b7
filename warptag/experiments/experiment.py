"""What an experiment chooses: data, network, training, search grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from warptag.training.settings import TrainingSettings

#: loss -> the name of its row in the tables.
METHODS = {"softmax": "CNN + Softmax", "ranking": "CNN + Ranking", "warp": "CNN + WARP"}

_RANKING = (
    *((rate, "violators") for rate in (0.002, 0.005, 0.01, 0.02, 0.05)),
    (0.002, "positives"),
)
#: loss -> (learning rate, normalization) pairs that the search tries: six for every loss, the
#: paper's own rate 0.002 among them.
GRID: dict[str, tuple[tuple[float, str], ...]] = {
    "softmax": tuple((rate, "none") for rate in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)),
    "ranking": _RANKING,
    "warp": _RANKING,
}


@dataclass(frozen=True)
class Experiment:
    """One row of choices behind a folder of results.

    Attributes:
        name: of the experiment and of its folder in `results/`.
        title: data set and setting, as headings show it.
        source: name of the source of `tfrecords_tools`.
        source_settings: arguments of the source, such as the stored image size.
        needs_input: whether the source reads a folder given by `--input`.
        synthetic: whether the pictures are rendered.
        crop_size: side of the network's input, pixels.
        network: arguments of `AlexNet`, or of `Backbone`, besides those that stand here or in
            `training`.
        training: settings shared by the losses; each loss's rate and normalization are in
            `chosen`.
        chosen: loss -> (learning rate, normalization).
        searched: whether `chosen` was found by the search on validation images.
        search_epochs: epochs of every run of the search over `GRID`.
        features: arguments of `VisualFeatures`.
        feature_source_settings: arguments of the source for the records that visual features are
            computed from; None for those that the networks see.
        published: whether published results of this data set exist to stand beside.
        seeds: number of training runs a loss.
        ks: tags an image in the tables.
        selection_k: tags an image in the validation figures.
        patches: crops a test image, "center" or "five".
        notes: choices and deviations to print under the tables.
        backbone: the network of `keras.applications` that stands in for the paper's, if any.
        weights: of the backbone at the start, as `Backbone` takes them.
    """

    name: str
    title: str
    source: str
    source_settings: dict[str, Any]
    needs_input: bool
    crop_size: int
    network: dict[str, Any]
    training: TrainingSettings
    chosen: dict[str, tuple[float, str]]
    search_epochs: int
    features: dict[str, Any]
    feature_source_settings: dict[str, Any] | None = None
    published: bool = False
    synthetic: bool = False
    seeds: int = 3
    ks: tuple[int, ...] = (3, 5)
    selection_k: int = 3
    searched: bool = True
    patches: str = "center"
    notes: tuple[str, ...] = ()
    backbone: str | None = None
    weights: str | None = None

    def settings_for(self, loss: str, seed: int, chosen: tuple[float, str]) -> TrainingSettings:
        """The full settings of one training run."""
        learning_rate, normalization = chosen
        choices: dict[str, Any] = {
            "loss": loss,
            "learning_rate": learning_rate,
            "normalization": normalization,
            "seed": seed,
        }
        return replace(self.training, **choices)
