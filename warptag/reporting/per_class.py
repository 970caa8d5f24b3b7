"""per_class.csv: recall and precision of every tag, most frequent first."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.reporting.evaluation import Evaluation


def per_class_table(evaluation: Evaluation) -> pd.DataFrame:
    """Recall and precision in percent at the first k, mean over seeds.

    Args:
        evaluation: the measured scores.

    Returns:
        One row a tag by falling number of training images: `tag`, `train_count`, `test_count`,
        then `<method> recall` and `<method> precision` of every method. NaN (an empty cell) for a
        tag without a positive test image: the mean of a column is the figure in the table.

    Example:
        >>> per_class_table(evaluation).columns[:4].tolist()
        ['tag', 'train_count', 'test_count', 'CNN + Softmax recall']
    """
    columns: dict[str, np.ndarray | list[str]] = {
        "tag": list(evaluation.tag_names),
        "train_count": np.asarray(evaluation.train_counts),
        "test_count": evaluation.test_counts,
    }
    for method in evaluation.methods:
        recall, precision = evaluation.per_tag(method, evaluation.ks[0])
        columns[f"{method} recall"] = recall.mean(axis=0)
        columns[f"{method} precision"] = precision.mean(axis=0)
    return pd.DataFrame(columns).iloc[evaluation.frequency_order].reset_index(drop=True)


def write_per_class(evaluation: Evaluation, path: str | os.PathLike) -> Path:
    """Write `per_class_table` as CSV with two decimals.

    Example:
        >>> write_per_class(evaluation, "per_class.csv")
        PosixPath('per_class.csv')
    """
    text = per_class_table(evaluation).to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return write_bytes(path, text.encode())
