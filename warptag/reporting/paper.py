"""The two result tables of Gong et al. (arXiv 1312.4894), as printed there, on NUS-WIDE.

These are the paper's numbers, never this project's. One of them is a slip: the row Upper bound at
k = 5 implies 2.397 tags per image where every other row implies 2.410.
"""

from __future__ import annotations

from warptag.reporting.evaluation import METRICS

PAPER = "Gong et al. 2013, NUS-WIDE"
#: `Evaluation.dataset` of the paper's data set.
PAPER_DATASET = "nuswide"
PAPER_TRAIN_IMAGES = 150_000

#: k -> method -> percentages in the order of `METRICS`.
PAPER_TABLES: dict[int, dict[str, tuple[float, ...]]] = {
    3: {
        "upper_bound": (97.00, 44.87, 82.76, 66.49, 100.00),
        "knn": (19.33, 32.59, 53.44, 42.93, 91.36),
        "svm": (18.79, 21.51, 35.87, 28.82, 82.72),
        "softmax": (31.22, 31.68, 59.52, 47.82, 98.76),
        "ranking": (26.83, 31.93, 58.00, 46.59, 95.06),
        "warp": (35.60, 31.65, 60.49, 48.59, 96.29),
    },
    5: {
        "upper_bound": (99.57, 28.83, 96.40, 46.22, 100.00),
        "knn": (32.14, 22.56, 66.98, 32.29, 95.06),
        "svm": (34.19, 18.79, 47.15, 22.73, 96.30),
        "softmax": (48.24, 21.98, 74.04, 35.69, 98.76),
        "ranking": (42.48, 22.74, 72.78, 35.08, 97.53),
        "warp": (52.03, 22.31, 75.00, 36.16, 100.00),
    },
}


def paper_metrics(method: str, k: int) -> dict[str, float] | None:
    """The paper's percentages of a method, or None if the paper prints none.

    Example:
        >>> paper_metrics("warp", 3)["per_class_recall"]
        35.6
    """
    row = PAPER_TABLES.get(k, {}).get(method)
    return None if row is None else dict(zip(METRICS, row, strict=True))
