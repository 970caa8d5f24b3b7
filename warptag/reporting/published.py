"""Corel5K's published rows beside this project's, by the protocol of the literature.

Fitted on all training photographs; the vocabulary is the words that have both a training and a test
photograph (260 in the literature's copy); exactly five words per photograph; precision and recall
are means over these words, and N+ is the number of them with a recall above 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from warptag.methods import METHOD
from warptag.metrics.counts import annotation_report

K = 5
#: Method -> precision and recall in percent, and N+ in words, as its authors print them.
PUBLISHED_COREL5K: dict[str, tuple[int, int, int]] = {
    "JEC (Makadia et al. 2008)": (27, 32, 139),
    "TagProp sigma-ML (Guillaumin et al. 2009)": (33, 42, 160),
    "2PKNN (Verma and Jawahar 2012)": (39, 40, 177),
    "FastTag (Chen et al. 2013)": (32, 43, 166),
    "2PKNN with metric learning (Verma and Jawahar 2012)": (44, 46, 191),
    "KCCA (Ballan et al. 2014)": (39, 53, 184),
}


def published_table(test_labels: np.ndarray, scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """This run's rows, then the published ones.

    Args:
        test_labels: int array (num_images, num_words) of 1 and 0, with the words of the vocabulary.
        scores: id of a method in `warptag.methods` -> float array of that shape, from a fit on
            all training photographs.

    Returns:
        Columns `method`, `source` ("this run" or "published"), `precision` and `recall` in
        percent, and `n_plus`, a number of words.

    Example:
        >>> labels = np.eye(8, dtype=int)
        >>> table = published_table(labels, {"knn": labels})
        >>> table.loc[0, "source"], int(table.loc[0, "n_plus"])
        ('this run', 8)
    """
    num_words = int((np.asarray(test_labels) == 1).any(axis=0).sum())
    rows: list[tuple] = []
    for method, array in scores.items():
        report = annotation_report(test_labels, array, K)
        precision, recall = report["per_class_precision"], report["per_class_recall"]
        n_plus = round(report["n_plus"] / 100 * num_words)
        rows.append((METHOD[method].label, "this run", precision, recall, n_plus))
    for name, (precision, recall, n_plus) in PUBLISHED_COREL5K.items():
        rows.append((name, "published", float(precision), float(recall), n_plus))
    columns = ["method", "source", "precision", "recall", "n_plus"]
    return pd.DataFrame(rows, columns=columns).round(2)
