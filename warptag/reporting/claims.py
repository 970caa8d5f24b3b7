"""Do these seeds confirm or refute what the paper claims?

The claims are about the paper's network. Pretrained networks are judged by the same claims, but in
a table of their own.

Each claim is a set of comparisons "first minus second is above 0". Seeds are compared in pairs
(seed i of both methods; a deterministic method has one value for all), and a comparison holds when
the 95% t-interval of the mean difference is entirely above 0, is reversed when it is entirely
below, and is undecided otherwise or with fewer than three seeds. The intervals are not corrected
for the number of comparisons.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from warptag.methods import METHOD, PAPER_LOSSES, network_method
from warptag.reporting.evaluation import METRICS, Evaluation
from warptag.reporting.paper import paper_metrics

MIN_SEEDS = 3
CONFIDENCE = 0.95

#: How a verdict is reached, for readers of the results.
RULE = (
    "A comparison holds when the 95% t-interval of the mean difference over paired seeds (same "
    "initial weights and order of the data) is entirely above 0, and is reversed when it is "
    "entirely below; with fewer than three seeds nothing is decided. A claim is confirmed when "
    "all its comparisons hold and refuted when one is reversed. The intervals are not "
    "corrected for the number of comparisons, and a verdict is about this data set and these "
    "settings only."
)

COLUMNS = (
    *("k", "number", "statement", "verdict", "train_images", "not_measured"),
    *("comparison", "outcome", "mean", "low", "high", "seeds", "paper"),
)

#: What a comparison subtracts: a metric, a metric minus another, or one that is not in the tables.
_RARE_MINUS_FREQUENT = ("rare", "frequent")
_MEASURES: dict[tuple[str, ...], str] = {
    **{(metric,): label for metric, label in METRICS.items()},
    ("per_class_recall", "overall_recall"): "per-class recall minus overall recall",
    _RARE_MINUS_FREQUENT: "recall of the rarer half of the tags minus that of the other half",
}
#: The metrics of the first two claims; the paper's own tables contradict them on the other two.
_CLAIMED = (("per_class_recall",), ("overall_recall",), ("overall_precision",))
#: The paper's baselines: deterministic, so one value of theirs is compared with every seed.
_BASELINES = ("knn", "svm")


@dataclass(frozen=True)
class _Claim:
    """A claim in words, and which losses and baselines are compared in which measures."""

    statement: str
    pairs: tuple[tuple[str, str], ...]
    measures: tuple[tuple[str, ...], ...]


_CLAIMS = (
    _Claim(
        "Every CNN beats kNN and SVM on per-class recall and on overall recall and precision.",
        tuple(itertools.product(PAPER_LOSSES, _BASELINES)),
        _CLAIMED,
    ),
    _Claim(
        "On per-class recall and on overall recall and precision, WARP is ahead of Softmax "
        "and Softmax ahead of Ranking.",
        (("warp", "softmax"), ("softmax", "ranking")),
        _CLAIMED,
    ),
    _Claim(
        "WARP's gain over Softmax is in per-class recall, and on the rare tags.",
        (("warp", "softmax"),),
        (("per_class_recall",), ("per_class_recall", "overall_recall"), _RARE_MINUS_FREQUENT),
    ),
)


def claims_table(evaluation: Evaluation, pretrained: bool = False) -> pd.DataFrame:
    """The paper's claims judged at every k, one row per comparison.

    Args:
        evaluation: the measured scores.
        pretrained: whether to judge the pretrained networks instead of the paper's.

    Returns:
        Columns `COLUMNS`: the mean difference, the ends of its 95% interval (NaN with fewer than
        three seeds) and the paper's difference (NaN if it prints none) in percentage points;
        `train_images` is the number of training images where the claim is about baselines, else
        0; `outcome` is "holds", "reversed" or "undecided", `verdict` is "confirmed", "refuted" or
        "undecided". A claim without a measured comparison has no row.

    Example:
        >>> claims_table(evaluation)["verdict"].unique().tolist()
        ['undecided']
    """
    rows = []
    for k, (number, claim) in itertools.product(evaluation.ks, enumerate(_CLAIMS, start=1)):
        pairs = [
            (_method(first, pretrained), _method(second, pretrained))
            for first, second in claim.pairs
        ]
        methods = dict.fromkeys(itertools.chain(*pairs))
        missing = [METHOD[method].label for method in methods if method not in evaluation.scores]
        comparisons = [
            _compare(evaluation, k, first, second, measure)
            for first, second in pairs
            if first in evaluation.scores and second in evaluation.scores
            for measure in claim.measures
        ]
        verdict = _verdict([row["outcome"] for row in comparisons], complete=not missing)
        claimed: dict[str, Any] = {
            "k": k,
            "number": number,
            "statement": claim.statement,
            "verdict": verdict,
            # What a claim about networks and baselines depends on most.
            "train_images": evaluation.num_train_images if claim.pairs[0][1] in _BASELINES else 0,
        }
        claimed["not_measured"] = ", ".join(missing)
        rows += [claimed | row for row in comparisons]
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(2)


def t_interval(mean: float, deviation: float, seeds: int) -> tuple[float, float] | None:
    """The 95% t-interval of a mean over seeds.

    Args:
        mean: the mean over the seeds.
        deviation: the sample standard deviation over the seeds.
        seeds: the number of seeds.

    Returns:
        Both ends, or None with fewer than three seeds.

    Example:
        >>> [round(end, 2) for end in t_interval(10.0, 1.0, 3)]
        [7.52, 12.48]
    """
    if seeds < MIN_SEEDS:
        return None
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, seeds - 1) * deviation / np.sqrt(seeds))
    return mean - half, mean + half


def _method(name: str, pretrained: bool) -> str:
    """The id of the method that a loss or a baseline of a claim stands for."""
    return network_method(name, pretrained).id if name in PAPER_LOSSES else name


def _compare(
    evaluation: Evaluation, k: int, first: str, second: str, measure: tuple[str, ...]
) -> dict[str, Any]:
    left, right = (_measured(evaluation, method, k, measure) for method in (first, second))
    # Only a deterministic method may be repeated: one trained seed says nothing about the others.
    if len(right) == 1 and second in _BASELINES:
        right = np.repeat(right, len(left))
    seeds = min(len(left), len(right))
    differences = left[:seeds] - right[:seeds]
    mean = float(differences.mean())
    deviation = float(differences.std(ddof=1)) if seeds > 1 else 0.0
    interval = t_interval(mean, deviation, seeds)
    paper, first_paper, second_paper = None, paper_metrics(first, k), paper_metrics(second, k)
    if first_paper and second_paper and measure != _RARE_MINUS_FREQUENT:
        paper = _minus(first_paper, measure) - _minus(second_paper, measure)
    labels = METHOD[first].label, METHOD[second].label
    return {
        "comparison": f"{_MEASURES[measure]}: {labels[0]} minus {labels[1]}",
        "outcome": _outcome(interval),
        "mean": mean,
        "low": interval and interval[0],
        "high": interval and interval[1],
        "seeds": seeds,
        "paper": paper,
    }


def _measured(evaluation: Evaluation, method: str, k: int, measure: tuple[str, ...]) -> np.ndarray:
    """float array (num_seeds,)."""
    if measure != _RARE_MINUS_FREQUENT:
        return np.array([_minus(seed, measure) for seed in evaluation.metrics(method, k)])
    recall, _ = evaluation.per_tag(method, k)
    order = evaluation.frequency_order
    order = order[evaluation.test_counts[order] > 0]
    if len(order) < 2:  # There are no two halves, so there is no difference.
        return np.zeros(len(recall))
    frequent, rare = np.array_split(order, 2)
    return recall[:, rare].mean(axis=1) - recall[:, frequent].mean(axis=1)


def _minus(metrics: dict[str, float], measure: tuple[str, ...]) -> float:
    """The first metric of a measure minus the others."""
    first, *others = (metrics[name] for name in measure)
    return first - sum(others)


def _outcome(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "undecided"
    low, high = interval
    return "holds" if low > 0 else "reversed" if high < 0 else "undecided"


def _verdict(outcomes: Iterable[str], complete: bool) -> str:
    """A claim about a method that was not measured can be refuted, but not confirmed."""
    found = set(outcomes)
    if "reversed" in found:
        return "refuted"
    return "confirmed" if found == {"holds"} and complete else "undecided"
