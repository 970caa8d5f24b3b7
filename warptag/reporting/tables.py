"""The tables of a comparison as data frames, rounded as in their CSV files.

Markdown, page and charts are made from these frames, whether they were just computed or read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from warptag.methods import METHODS
from warptag.reporting.evaluation import METRICS, Evaluation


def result_table(evaluation: Evaluation, k: int) -> pd.DataFrame:
    """Mean and sample standard deviation over the seeds of every method, in percent.

    Args:
        evaluation: the measured scores.
        k: the number of tags given to each image.

    Returns:
        One row per method in the order of the paper, columns `method`, the five metrics, each
        again with `_std` (NaN with one seed), and `seeds`.

    Raises:
        ValueError: k is not from 1 to the number of tags.

    Example:
        >>> result_table(evaluation, 3)["method"].tolist()
        ['CNN + Softmax', 'CNN + Ranking', 'CNN + WARP']
    """
    rows = []
    for method in evaluation.methods:
        seeds = pd.DataFrame(evaluation.metrics(method.id, k), columns=list(METRICS))
        _check_identity(evaluation, k, seeds)
        rows.append(
            {"method": method.label}
            | seeds.mean().to_dict()
            | seeds.std(ddof=1).add_suffix("_std").to_dict()
            | {"seeds": len(seeds)}
        )
    columns = ["method", *METRICS, *(f"{name}_std" for name in METRICS), "seeds"]
    return pd.DataFrame(rows, columns=columns).round(2)


def _check_identity(evaluation: Evaluation, k: int, seeds: pd.DataFrame) -> None:
    """With exactly k tags per image, overall precision x k / overall recall is the mean number of
    tags per test image, whatever the scores: other values are an error in the metrics."""
    seeds = seeds[seeds["overall_recall"] > 0]
    measured = seeds["overall_precision"] * k / seeds["overall_recall"]
    num_tags = evaluation.test_counts.sum() / len(evaluation.test_labels)
    known = (np.asarray(evaluation.test_labels) >= 0).all()
    if known and not np.allclose(measured, num_tags):
        raise ValueError(
            f"precision x {k} / recall must be {num_tags:.4f}, the mean number of tags per test "
            f"image, got {measured.tolist()}: the metrics at k = {k} are wrong"
        )


def per_class_table(evaluation: Evaluation) -> pd.DataFrame:
    """Recall and precision of every tag in percent at the first k.

    Args:
        evaluation: the measured scores.

    Returns:
        One row per tag by falling number of training images: `tag`, `train_count`, `test_count`,
        `<method> recall` and `<method> precision` of every method as means over its seeds, and,
        for methods of several seeds, the same columns with `, seed <number>`. NaN (an empty cell)
        for a tag without a positive test image, so the mean of a column is the metric in the
        table.

    Example:
        >>> per_class_table(evaluation).columns[:4].tolist()
        ['tag', 'train_count', 'test_count', 'CNN + Softmax recall']
    """
    counts = {"train_count": evaluation.train_counts, "test_count": evaluation.test_counts}
    means, by_seed = {}, {}
    for method in evaluation.methods:
        arrays = evaluation.per_tag(method.id, evaluation.ks[0])
        for name, values in zip(("recall", "precision"), arrays, strict=True):
            means[f"{method.label} {name}"] = values.mean(axis=0)
            if len(values) > 1:
                for seed, row in enumerate(values):
                    by_seed[f"{method.label} {name}, seed {seed}"] = row
    table = pd.DataFrame({"tag": list(evaluation.tag_names), **counts, **means, **by_seed})
    return table.iloc[evaluation.frequency_order].reset_index(drop=True).round(2)


def history_table(histories: Mapping[str, Sequence[pd.DataFrame]]) -> pd.DataFrame:
    """Every epoch of every run: `method`, `seed`, then the columns of its history.

    Args:
        histories: id of a method -> one frame per seed with the columns `epoch`, `loss` and any
            of `val_loss`, `val_<metric>`, metrics as fractions of 1.

    Raises:
        ValueError: a frame has no column `epoch` or `loss`.

    Example:
        >>> frame = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.5]})
        >>> history_table({"warp": [frame]}).columns.tolist()
        ['method', 'seed', 'epoch', 'loss']
    """
    frames = []
    for method in METHODS:
        for seed, frame in enumerate(histories.get(method.id, ())):
            if not {"epoch", "loss"} <= set(frame):
                raise ValueError(
                    f"{method.id}, seed {seed}: a history must have the columns epoch and loss, "
                    f"got {', '.join(map(str, frame))}"
                )
            frames.append(frame.assign(method=method.label, seed=seed))
    table = pd.concat(frames, ignore_index=True)
    return table[["method", "seed", *table.columns.drop(["method", "seed"])]]
