"""NUS-WIDE's own six low-level features in place of the paper's nine: no image is needed.

    bash reproduce.sh nuswide-features --input DIR

DIR holds `ConceptsList/`, `Groundtruth/`, `ImageList/` and `Low_Level_Features/` of the release.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json, write_bytes
from tfrecords_tools.sources.nuswide import Features, load_features, write_features
from tfrecords_tools.sources.nuswide.features import INFO_FILE
from warptag.baselines import (
    NUSWIDE_KERNELS,
    BlockEmbedding,
    most_frequent_scores,
    upper_bound_scores,
)
from warptag.content_cache import content_key
from warptag.experiments.baselines import FeatureSets, annotator_scores
from warptag.reporting import Evaluation, write_page, write_results

NAME = "nuswide-features"
KS = (3, 5)


def reproduce_nuswide_features(
    input_dir: Path, output: Path, say: Callable[[str], None] = print
) -> list[Path]:
    """The rows over NUS-WIDE's low-level features on the 59,347 test images of the seeded split.

    Args:
        input_dir: folder of the release.
        output: folder of the results; the arrays go to `data` in it, scores to `baselines`.
        say: called with one line for each annotator that is fitted.

    Returns:
        The files written.

    Raises:
        InputError: files are missing, of the wrong length or width, or hold what they should not.
    """
    arrays = _arrays(input_dir, output / "data")
    embedding = BlockEmbedding(arrays.columns, NUSWIDE_KERNELS)

    @cache
    def load() -> FeatureSets:
        train = embedding.fit_transform(arrays.train.features)
        test = embedding.transform(arrays.test.features)
        return FeatureSets(train, arrays.train.labels, test, embedding.blocks_)

    settings = {"kernels": NUSWIDE_KERNELS, "arrays": _key(arrays)}
    test_labels = arrays.test.labels
    evaluation = Evaluation(
        tag_names=arrays.tag_names,
        test_labels=test_labels,
        train_counts=arrays.train.labels.sum(axis=0),
        scores={
            "upper_bound": [upper_bound_scores(test_labels)],
            **{
                method: [scores]
                for method, scores in annotator_scores(
                    output / "baselines", settings, load, say
                ).items()
            },
            "most_frequent": [most_frequent_scores(arrays.train.labels, len(test_labels))],
        },
        ks=KS,
        title="NUS-WIDE (its six low-level features)",
        dataset="nuswide",
    )
    lines = [
        f"Split: {len(arrays.train.labels):,} training and {len(test_labels):,} test images, by a "
        "permutation of seed 0 (the paper's own split is unpublished) of the images with a tag.",
        f"Features: the release's own six, not the paper's nine; kernels {NUSWIDE_KERNELS}, PCA to "
        "at most 500 columns each.",
        "kNN k = 50, SVM C = 2; one fit, no seeds.",
    ]
    written = write_results(evaluation, output, settings_lines=lines)
    command = f"bash reproduce.sh {NAME} --input DIR\n"
    written.append(write_bytes(output / "command.txt", command.encode()))
    return [*written, write_page(output)]


def _arrays(input_dir: Path, folder: Path) -> Features:
    info = read_json(folder / INFO_FILE)
    if info is None:
        return write_features(input_dir, folder)
    for name, size in info.get("sources", {}).items():
        path = input_dir / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(
                f"{folder} was made from a {name} of {size:,} bytes, which {input_dir} does not "
                f"hold; give the folder it was made from, or remove {folder}"
            )
    return load_features(folder)


def _key(arrays: Features) -> str:
    parts = (arrays.train, arrays.test)
    return content_key([array for part in parts for array in (part.features, part.labels)])
