"""The rows over features: every annotator fitted, kept and reused when it still stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from warptag.baselines import (
    JECAnnotator,
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
    VisualFeatures,
)
from warptag.baselines.features.extraction import extraction_key
from warptag.content_cache import ContentCache, content_key
from warptag.data import Records
from warptag.experiments.experiment import Experiment
from warptag.reporting import published_table

#: Method name -> its annotator, for features that stand in blocks of so many columns.
ANNOTATORS: dict[str, Callable[[list[int]], Any]] = {
    "Visual Feature + kNN": lambda blocks: KNNAnnotator(),
    "Visual Feature + SVM": lambda blocks: SVMAnnotator(),
    "Visual Feature + JEC": lambda blocks: JECAnnotator(blocks=blocks),
    "Visual Feature + TagProp": lambda blocks: TagPropAnnotator(blocks=blocks),
    "Visual Feature + 2PKNN": lambda blocks: TwoPassKNNAnnotator(blocks=blocks),
}


#: Raise it with every change after which the same data give other scores.
VERSION = 1


@dataclass(frozen=True, eq=False)
class FeatureSets:
    """What an annotator is fitted on and asked for.

    Attributes:
        train: float32 (num_train, num_features).
        labels: int8 (num_train, num_tags): 1, 0, or -1 for unknown.
        test: float32 (num_test, num_features).
        blocks: widths of the features that stand side by side.
    """

    train: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    blocks: list[int]


def annotator_scores(
    directory: Path,
    settings: dict[str, Any],
    load: Callable[[], FeatureSets],
    say: Callable[[str], None],
) -> dict[str, np.ndarray]:
    """Scores of every annotator on the test images.

    Each is kept in a folder, under a hash of the settings and of `VERSION`: an
    interrupted call resumes, a finished one is read back.

    Args:
        directory: the folder.
        settings: whatever decides what the features and labels are.
        load: gives the features; called when scores are missing.
        say: called with one line for each annotator that is fitted.

    Returns:
        Method name -> float32 (num_test, num_tags).
    """
    kept = ContentCache(directory)
    stamp = {**settings, "version": VERSION}

    def scores_of(method: str) -> np.ndarray:
        def make() -> np.ndarray:
            sets = load()
            say(f"    {method}: {len(sets.train):,} images to fit")
            annotator = ANNOTATORS[method](sets.blocks).fit(sets.train, sets.labels)
            return annotator.decision_function(sets.test)

        def read(file: BinaryIO) -> np.ndarray:
            with np.load(file, allow_pickle=False) as arrays:
                return arrays["scores"]

        key = content_key(json.dumps(stamp, sort_keys=True), method)
        return kept.get(key, make, lambda made, path: np.savez(path, scores=made), read)

    return {method: scores_of(method) for method in ANNOTATORS}


def visual_feature_scores(
    experiment: Experiment, data: Path, directory: Path, say: Callable[[str], None]
) -> tuple[dict[str, np.ndarray], pd.DataFrame | None]:
    """Scores over the visual features of a converted data set.

    Args:
        experiment: the choices.
        data: folder of the records that the features are computed from.
        directory: where histograms and scores are kept.
        say: called with one line for each annotator that is fitted.

    Returns:
        The scores, fitted on the images that the networks fit; and, where there are published
        results to stand beside, `published_table`: features and annotators fitted as those are
        on all training images, with the tags that have both a training and a test image as
        vocabulary.
    """
    train, validation, test = (Records(data, split) for split in ("train", "validation", "test"))
    visual = VisualFeatures(**experiment.features, cache_dir=directory / "histograms")
    settings = {
        "features": experiment.features,
        "data_checksum": train.info.checksum,
        "extraction": extraction_key(),
    }

    @cache
    def of_train() -> FeatureSets:
        features = visual.fit_transform(train)
        return FeatureSets(features, train.labels, visual.transform(test), visual.blocks_)

    labels = np.concatenate([train.labels, validation.labels])
    vocabulary = (labels == 1).any(axis=0) & (test.labels == 1).any(axis=0)

    @cache
    def of_all() -> FeatureSets:
        # Fitted anew: PCA leaves less of images that it was not fitted on, so that the validation
        # images, embedded like the test images, would lie nearer to these than all others do.
        features = visual.fit_transform(_Chain([train, validation]))
        return FeatureSets(features, labels[:, vocabulary], visual.transform(test), visual.blocks_)

    scores = annotator_scores(directory, {**settings, "part": "train"}, of_train, say)
    if not experiment.published:
        return scores, None
    of_all_images = annotator_scores(directory, {**settings, "part": "all"}, of_all, say)
    return scores, published_table(test.labels[:, vocabulary], of_all_images)


@dataclass(frozen=True)
class _Chain:
    """The images of several collections, one collection after the other."""

    parts: list[Records]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[np.ndarray]:
        return chain.from_iterable(self.parts)
