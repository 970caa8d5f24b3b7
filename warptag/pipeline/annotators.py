"""The annotators over visual features. Each is fitted once, and its scores are cached."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from warptag.baselines import (
    JECAnnotator,
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
)
from warptag.content_cache import ContentCache, content_key
from warptag.methods import METHOD

logger = logging.getLogger(__name__)

#: Increase it with every code change that alters the scores of the same data.
VERSION = 1


class _Choice(NamedTuple):
    make: Callable[[list[int]], Any]  # from the widths of the feature blocks to the annotator
    hyperparameters: str  # in words, for the notes below the tables


#: By the id of the method.
ANNOTATORS = {
    "knn": _Choice(lambda blocks: KNNAnnotator(), "kNN k = 50, sigma = 0.035"),
    "svm": _Choice(lambda blocks: SVMAnnotator(), "SVM C = 2"),
    "jec": _Choice(lambda blocks: JECAnnotator(blocks=blocks), "JEC k = 5"),
    "tagprop": _Choice(
        lambda blocks: TagPropAnnotator(blocks=blocks),
        "TagProp k = 200, by distance, with sigmoids",
    ),
    "two_pass_knn": _Choice(
        lambda blocks: TwoPassKNNAnnotator(blocks=blocks), "2PKNN k = 5, scale = 60"
    ),
}


def hyperparameters(methods: Sequence[str]) -> str:
    """The hyperparameters of annotators in words, for the notes below the tables."""
    in_words = [ANNOTATORS[method].hyperparameters for method in methods]
    return "; ".join([*in_words, "one fit, no seeds"])


@dataclass(frozen=True, eq=False)
class FeatureSets:
    """The features that annotators are fitted to, and those that they score.

    Attributes:
        train: float32 (num_train_images, num_features).
        labels: int8 (num_train_images, num_tags): 1, 0, or -1 for unknown.
        test: float32 (num_test_images, num_features).
        blocks: the number of columns of each visual feature, in order.
    """

    train: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    blocks: list[int]


def annotator_scores(
    methods: Sequence[str],
    directory: Path,
    settings: dict[str, Any],
    load: Callable[[], FeatureSets],
) -> dict[str, np.ndarray]:
    """The scores of annotators on the test images.

    The scores are cached under a hash of the settings and of `VERSION`, so that an interrupted
    call resumes and a finished one is not repeated.

    Args:
        methods: the ids of the methods.
        directory: the folder of the cache.
        settings: the settings that determine the features and the labels.
        load: a function that returns the features; it is called only if scores are missing.

    Returns:
        Method id -> float32 (num_test_images, num_tags).
    """
    kept = ContentCache(directory)
    stamp = {**settings, "version": VERSION}

    def scores_of(method: str) -> np.ndarray:
        def make() -> np.ndarray:
            sets = load()
            logger.info("    %s: %s images to fit", METHOD[method].label, f"{len(sets.train):,}")
            annotator = ANNOTATORS[method].make(sets.blocks).fit(sets.train, sets.labels)
            return annotator.decision_function(sets.test)

        def read(file: BinaryIO) -> np.ndarray:
            with np.load(file, allow_pickle=False) as arrays:
                return arrays["scores"]

        key = content_key(json.dumps(stamp, sort_keys=True), method)
        return kept.get(key, make, lambda made, path: np.savez(path, scores=made), read)

    return {method: scores_of(method) for method in methods}
