"""The parts of an experiment: data, visual features and networks.

An experiment is a declaration; `warptag.pipeline` carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

#: The methods over visual features: those of the paper, and later ones beside them.
PAPER_ANNOTATORS = ("knn", "svm")
ALL_ANNOTATORS = (*PAPER_ANNOTATORS, "jec", "tagprop", "two_pass_knn")


@dataclass(frozen=True)
class Photographs:
    """Photographs with tags, which are converted to records.

    Attributes:
        source: the name of a source of `tfrecords_tools`.
        settings: the arguments of the source, such as the stored image size.
        needs_input: whether the source reads a folder.
        synthetic: whether the pictures are rendered.
    """

    source: str
    settings: dict[str, Any]
    needs_input: bool = True
    synthetic: bool = False


@dataclass(frozen=True)
class NUSWideLabels:
    """The labels of NUS-WIDE in a seeded split of the paper's sizes; no image is read.

    Attributes:
        seed: the seed of the split.
    """

    seed: int = 0
    source: str = "nuswide"
    needs_input: bool = True
    synthetic: bool = False


@dataclass(frozen=True)
class VisualFeatures:
    """The nine visual features, computed from the photographs.

    Attributes:
        arguments: the arguments of `warptag.baselines.VisualFeatures`.
        source_settings: the arguments of the source for the photographs that the features are
            computed from; None for the same records that the networks see.
        annotators: the ids of the methods that are fitted to the features.
        published: whether to compare with results that others published for this data set.
    """

    arguments: dict[str, Any]
    source_settings: dict[str, Any] | None = None
    annotators: tuple[str, ...] = PAPER_ANNOTATORS
    published: bool = False


@dataclass(frozen=True)
class NUSWideFeatures:
    """The six low-level features that come with NUS-WIDE.

    Attributes:
        annotators: the ids of the methods that are fitted to the features.
    """

    annotators: tuple[str, ...] = ALL_ANNOTATORS


@dataclass(frozen=True)
class Networks:
    """One network, trained with each loss.

    Attributes:
        crop_size: the side of the network's input, in pixels.
        architecture: further arguments of `AlexNet`, of `Backbone`, or of `Head` for a pretrained
            network.
        training: the fields of `TrainingSettings` that the losses share.
        chosen: the fields of `TrainingSettings` of each loss, such as the learning rate.
        search_epochs: the number of epochs of each run of the search.
        searched_on: the name of the experiment on whose validation images the search found the
            settings; None if they are the paper's or good ones by experience.
        shared_grid: the settings that the losses share and the search chooses, before those of
            each loss: argument of the architecture or field of `TrainingSettings` -> the values
            to try.
        grid: loss -> the candidates of the search, each with the fields of `chosen`; as many for
            every loss.
        selection_k: the number of tags per image for the validation metrics.
        patches: the crops of a test image, "center" or "five".
        backbone: the name of a network of `keras.applications`; None for the paper's network.
        weights: the weights of the backbone, as `Backbone` takes them. With weights the network
            is pretrained: only a head over its features is trained. Without, all of it is trained.
    """

    crop_size: int
    architecture: dict[str, Any]
    training: dict[str, Any]
    chosen: dict[str, dict[str, Any]]
    search_epochs: int
    searched_on: str | None = None
    shared_grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    grid: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=lambda: GRID)
    selection_k: int = 3
    patches: str = "center"
    backbone: str | None = None
    weights: str | None = None

    @property
    def pretrained(self) -> bool:
        """Whether only a head over the features of a pretrained network is trained."""
        return self.weights is not None

    def with_shared(self, settings: Mapping[str, Any]) -> Networks:
        """The same networks with other settings that the losses share.

        Args:
            settings: arguments of the architecture and fields of `TrainingSettings`.
        """
        of_architecture = {
            name: value for name, value in settings.items() if name in self.architecture
        }
        of_training = {
            name: value for name, value in settings.items() if name not in self.architecture
        }
        return replace(
            self,
            architecture={**self.architecture, **of_architecture},
            training={**self.training, **of_training},
        )


@dataclass(frozen=True)
class Experiment:
    """A comparison of methods on one data set.

    Attributes:
        name: the name on the command line, and of the folder in `results/`.
        title: the data set and the setting, for headings.
        data: the images or the labels.
        features: the visual features that the baselines are fitted to, or None.
        networks: the networks that are trained, or None.
        pretrained: the pretrained networks that are compared with them, or None.
        seeds: the number of training runs per loss, and of random upper bounds.
        ks: the numbers of tags per image; each has its own table.
        notes: further notes to print below the tables.
    """

    name: str
    title: str
    data: Photographs | NUSWideLabels
    features: VisualFeatures | NUSWideFeatures | None = None
    networks: Networks | None = None
    pretrained: Networks | None = None
    seeds: int = 3
    ks: tuple[int, ...] = (3, 5)
    notes: tuple[str, ...] = field(default=())

    def with_all_baselines(self) -> Experiment:
        """The same experiment with every method over the visual features."""
        assert self.features is not None
        return replace(self, features=replace(self.features, annotators=ALL_ANNOTATORS))

    def quick(self) -> Experiment:
        """The same experiment with one seed, one epoch, small features and few rendered pictures.

        It takes a minute or two and shows that every step runs. Its numbers decide nothing.
        """
        note = "A --quick run of one epoch: it shows that everything runs and decides nothing."
        data, features = self.data, self.features
        if isinstance(data, Photographs) and data.synthetic:
            few = {"train": 540, "validation": 60, "test": 200}
            data = replace(data, settings={**data.settings, **few})
        if isinstance(features, VisualFeatures):
            small = {"codebook_size": 20, "num_components": 20, "image_size": 32}
            features = replace(features, arguments=small, source_settings=None)
        networks, pretrained = (
            one and replace(one, training={**one.training, "epochs": 1}, search_epochs=1)
            for one in (self.networks, self.pretrained)
        )
        return replace(
            self,
            title=f"{self.title}, --quick",
            data=data,
            features=features,
            networks=networks,
            pretrained=pretrained,
            seeds=1,
            notes=(*self.notes, note),
        )


def _candidates(rates: Sequence[float], normalization: str) -> tuple[dict[str, Any], ...]:
    return tuple({"learning_rate": rate, "normalization": normalization} for rate in rates)


_RANKING = (
    *_candidates((0.002, 0.005, 0.01, 0.02, 0.05), "violators"),
    *_candidates((0.002,), "positives"),
)
#: The learning rates and normalizations that the search tries for each loss: six candidates, which
#: include the paper's rate of 0.002.
GRID: dict[str, tuple[dict[str, Any], ...]] = {
    "softmax": _candidates((0.002, 0.005, 0.01, 0.02, 0.05, 0.1), "none"),
    "ranking": _RANKING,
    "warp": _RANKING,
}
