"""What is compared: the losses, the annotators, and the settings that are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from warptag.baselines import (
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
)
from warptag.losses import WeightedBinaryCrossentropy
from warptag.training import TrainingSettings

K = 5
BATCH_SIZE = 64
REFERENCE = "WARP"
#: Method -> the fields of its `TrainingSettings` that are not searched.
HEADS: dict[str, dict[str, Any]] = {
    "Softmax": {"loss": "softmax", "normalization": "none"},
    "Pairwise ranking": {"loss": "ranking"},
    REFERENCE: {"loss": "warp"},
    "WARP, expected rank": {"loss": "warp", "rank": "expected"},
    "k-order statistic WARP": {"loss": "k_order_warp"},
    "LSEP": {"loss": "lsep", "normalization": "none"},
    "Asymmetric": {"loss": "asymmetric", "normalization": "none"},
    "Binary cross-entropy": {"loss": "bce", "normalization": "none"},
    "Weighted binary cross-entropy": {"loss": "bce", "normalization": "none", "weighted": True},
}
RATES = (0.01, 0.1, 1.0, 10.0, 100.0)
FACTORS = (0.3, 3.0)
#: Scores that differ by less, in points, are equally good.
TOLERANCE = 1.0
#: What a step takes off the weights at the initial rate, as a share of them: rate times decay. The
#: decay alone would mean something else for each loss, since their rates are so different.
DECAY_PER_STEP = 0.0003
#: Method -> its class, and the values of its parameters.
ANNOTATORS: dict[str, tuple[type, dict[str, list]]] = {
    "kNN": (KNNAnnotator, {"k": [20, 50, 100, 200], "sigma": [0.03, 0.06, 0.1]}),
    "SVM": (SVMAnnotator, {"C": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]}),
    "TagProp": (TagPropAnnotator, {"k": [25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 600]}),
    "2PKNN": (TwoPassKNNAnnotator, {"k": [2, 5, 10], "scale": [20.0, 40.0, 60.0, 80.0]}),
}
#: Metric -> its heading.
METRICS = {
    "per_class_precision": "P",
    "per_class_recall": "R",
    "overall_precision": "overall P",
    "overall_recall": "overall R",
    "n_plus_words": "N+",
    "mean_average_precision": "mAP",
}
#: What is searched, for one method or another.
PARAMETERS = ("learning_rate", "weight_decay", "k", "sigma", "C", "scale")
MADE_WITH = ("seconds", "backbone", "weights", "data_checksum", "commit", "versions")
RUN_COLUMNS = ("method", "split", *PARAMETERS, "seed", "epochs", "score", *METRICS, *MADE_WITH)


@dataclass(frozen=True)
class WeightedSettings(TrainingSettings):
    """Settings with which binary cross-entropy weighs the positives of each tag.

    Attributes:
        positive_weights: the weight of the positives of each tag, or None for equal ones.
    """

    positive_weights: tuple[float, ...] | None = None

    def make_loss(self):
        if self.positive_weights is None:
            return super().make_loss()
        return WeightedBinaryCrossentropy(positive_weights=self.positive_weights)


@dataclass(frozen=True)
class Budget:
    """How much is tried: the learning rates, and the epochs of the search and of the runs."""

    rates: tuple[float, ...] = RATES
    factors: tuple[float, ...] = FACTORS
    search_epochs: int = 10
    epochs: int = 30
    annotator_candidates: int | None = None


QUICK = Budget((0.1,), (), search_epochs=1, epochs=1, annotator_candidates=2)


def positive_weights(labels: np.ndarray) -> tuple[float, ...]:
    """The square root of negatives per positive of each tag, at least 1.

    The root, since the ratio itself, which is 4,061 for a word of one photograph among 4,062, lets
    a few photographs decide. A tag without a positive counts as one with a single positive.
    """
    positives = np.maximum((labels == 1).sum(axis=0), 1)
    negatives = (labels == 0).sum(axis=0)
    return tuple(np.sqrt(np.maximum(negatives / positives, 1)).round(4).tolist())
