"""The upper bound on the real NUS-WIDE labels, which needs no images.

    bash reproduce.sh nuswide-upper-bound --input DIR

DIR holds `ConceptsList/` and `Groundtruth/AllLabels/` of the release. Expected: every cell of the
paper's row within 0.3 for the rule "rarest first", in under a minute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrecords_tools.files import write_bytes
from tfrecords_tools.sources.nuswide import load_ground_truth, paper_split
from warptag.baselines import most_frequent_scores, upper_bound_scores
from warptag.reporting import Evaluation, write_page, write_results

NAME = "nuswide-upper-bound"


def reproduce_upper_bound(input_dir: Path, output: Path, seeds: int = 3) -> list[Path]:
    """Both rules of the upper bound on the 59,347 test images of the seeded split.

    Args:
        input_dir: folder of the release.
        output: folder of the results.
        seeds: number of random fills to average over.

    Returns:
        The files written.

    Raises:
        InputError: label files are missing, of the wrong length or hold anything but 0 and 1.
    """
    tag_names, labels = load_ground_truth(input_dir)
    train, test = paper_split(labels, seed=0)
    test_labels = labels[test].astype(np.int8)

    def bounds(rule: str) -> list[np.ndarray]:
        return [upper_bound_scores(test_labels, rule=rule, seed=seed) for seed in range(seeds)]

    evaluation = Evaluation(
        tag_names=tag_names,
        test_labels=test_labels,
        train_counts=labels[train].sum(axis=0),
        scores={
            "upper_bound": bounds("rarest"),
            "upper_bound_random": bounds("random"),
            "most_frequent": [most_frequent_scores(labels[train], len(test))],
        },
        title="NUS-WIDE (real labels, no images)",
        dataset="nuswide",
    )
    lines = [
        f"Split: {len(train):,} training and {len(test):,} test images, by a permutation of seed 0 "
        f"(the paper's own split is unpublished) of those of the {len(labels):,} images that have "
        "a tag; the others are dropped.",
        f"Random tags: seeds 0 to {seeds - 1}.",
    ]
    written = write_results(evaluation, output, settings_lines=lines)
    command = f"bash reproduce.sh {NAME} --input DIR --seeds {seeds}\n"
    written.append(write_bytes(output / "command.txt", command.encode()))
    return [*written, write_page(output)]
