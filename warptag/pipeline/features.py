"""The visual features of an experiment, and the scores of the annotators over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, singledispatch
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide import Features, load_features, write_features
from tfrecords_tools.sources.nuswide.features import INFO_FILE, read_info
from warptag.baselines import (
    NUSWIDE_KERNELS,
    BlockEmbedding,
    VisualFeatures,
)
from warptag.baselines.features.extraction import extraction_key
from warptag.content_cache import content_key
from warptag.data import Records
from warptag.experiments import experiment as declared
from warptag.pipeline.annotators import FeatureSets, annotator_scores, hyperparameters
from warptag.pipeline.data import Data, convert_photographs
from warptag.reporting import published_table


@dataclass(frozen=True)
class FeatureResults:
    """The results over visual features.

    Attributes:
        scores: method id -> float32 (num_test_images, num_tags).
        description: a sentence for the notes below the tables.
        published: the table beside published results, as from `published_table`, or None.
        photographs: the folder of the records that the features were computed from, if any.
    """

    scores: dict[str, np.ndarray]
    description: str
    published: pd.DataFrame | None = None
    photographs: Path | None = None


@singledispatch
def feature_results(
    features: Any, data: Data, photographs: Any, input_dir: Path | None, output: Path
) -> FeatureResults:
    """The scores of the annotators over the visual features of an experiment.

    Args:
        features: the `features` of the experiment.
        data: the loaded data of the experiment.
        photographs: the `data` of the experiment.
        input_dir: the folder of the original data set, if the data needs one.
        output: the folder of the experiment.

    Raises:
        InputError: the features cannot be computed, or their images are not those of the data.
    """
    raise TypeError(f"unknown kind of features {features!r}")


@feature_results.register
def _(
    features: declared.VisualFeatures,
    data: Data,
    photographs: declared.Photographs,
    input_dir: Path | None,
    output: Path,
) -> FeatureResults:
    assert data.folder is not None
    folder = data.folder
    if features.source_settings is not None:
        folder = output / "feature_data"
        convert_photographs(photographs, features.source_settings, input_dir, folder)
    train, validation, test = (Records(folder, split) for split in ("train", "validation", "test"))
    _check_labels(test.labels, data, folder)
    visual = VisualFeatures(**features.arguments, cache_dir=output / "baselines" / "histograms")
    settings = {
        "features": features.arguments,
        "data_checksum": train.info.checksum,
        "extraction": extraction_key(),
    }

    @cache
    def of_train() -> FeatureSets:
        rows = visual.fit_transform(train)
        return FeatureSets(rows, train.labels, visual.transform(test), visual.blocks_)

    directory = output / "baselines"
    methods = features.annotators
    scores = annotator_scores(methods, directory, {**settings, "part": "train"}, of_train)
    description = f"Features: {features.arguments}; {hyperparameters(methods)}"
    if features.source_settings:
        description += f"; computed from the images with {features.source_settings}"
    published = None
    if features.published:
        labels = np.concatenate([train.labels, validation.labels])
        vocabulary = (labels == 1).any(axis=0) & (test.labels == 1).any(axis=0)

        @cache
        def of_all() -> FeatureSets:
            # Fitted again, with the validation images: PCA preserves less of images that it was
            # not fitted to. Without it, validation images would be embedded like test images, and
            # be nearer to them than the training images are.
            rows = visual.fit_transform(_Chain([train, validation]))
            return FeatureSets(rows, labels[:, vocabulary], visual.transform(test), visual.blocks_)

        of_all_images = annotator_scores(methods, directory, {**settings, "part": "all"}, of_all)
        published = published_table(test.labels[:, vocabulary], of_all_images)
    return FeatureResults(scores, f"{description}.", published, folder)


@feature_results.register
def _(
    features: declared.NUSWideFeatures,
    data: Data,
    photographs: Any,
    input_dir: Path | None,
    output: Path,
) -> FeatureResults:
    assert input_dir is not None
    arrays = _nuswide_arrays(input_dir, output / "data")
    _check_labels(arrays.test.labels, data, output / "data")
    embedding = BlockEmbedding(arrays.columns, NUSWIDE_KERNELS)

    @cache
    def load() -> FeatureSets:
        train = embedding.fit_transform(arrays.train.features)
        test = embedding.transform(arrays.test.features)
        return FeatureSets(train, arrays.train.labels, test, embedding.blocks_)

    parts = (arrays.train, arrays.test)
    key = content_key([array for part in parts for array in (part.features, part.labels)])
    settings = {"kernels": NUSWIDE_KERNELS, "arrays": key}
    scores = annotator_scores(features.annotators, output / "baselines", settings, load)
    return FeatureResults(
        scores,
        f"Features: the release's own six, not the paper's nine; kernels {NUSWIDE_KERNELS}, PCA to "
        f"at most 500 columns each; {hyperparameters(features.annotators)}.",
    )


def _check_labels(found: np.ndarray, data: Data, folder: Path) -> None:
    if not np.array_equal(found, data.test_labels):
        raise InputError(
            f"the test images in {folder} are not those of the labels, as when the input folder "
            f"changed between two runs; remove the folders data and feature_data in "
            f"{folder.parent} and run again"
        )


def _nuswide_arrays(input_dir: Path, folder: Path) -> Features:
    if not (folder / INFO_FILE).exists():
        return write_features(input_dir, folder)
    for name, size in read_info(folder)["sources"].items():
        path = input_dir / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(
                f"{folder} was made from a file {name} of {size:,} bytes, which {input_dir} does "
                f"not contain; pass the input folder it was made from, or remove {folder}"
            )
    return load_features(folder)


@dataclass(frozen=True)
class _Chain:
    """The images of several splits, one split after the other."""

    parts: list[Records]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[np.ndarray]:
        return chain.from_iterable(self.parts)
