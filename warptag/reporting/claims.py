"""Do these seeds confirm or refute what the paper claims?

Each claim is a set of comparisons "first minus second is above 0". Seeds are compared in pairs
(seed i of both methods; a deterministic baseline has one value for all), and a comparison holds
when the 95% t-interval of the mean difference lies wholly above 0, is reversed when it lies wholly
below, and is undecided otherwise or with fewer than three seeds. The intervals are not corrected
for the number of comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from warptag.reporting.evaluation import BASELINES, CNN_METHODS, Evaluation
from warptag.reporting.paper import paper_figures

CONFIRMED = "confirmed"
REFUTED = "refuted"
NOT_DECIDED = "not decided by these seeds"
MIN_SEEDS = 3
CONFIDENCE = 0.95

#: What the first two claims are about; the paper's tables do not bear out the other two figures.
CLAIMED_FIGURES = ("per_class_recall", "overall_recall", "overall_precision")

#: How a verdict is reached, for readers of the results.
RULE = (
    "A comparison holds when the 95% t-interval of the mean difference over paired seeds (same "
    "initial weights and order of the data) lies wholly above 0, and is reversed when it lies "
    "wholly below; with fewer than three seeds nothing is decided. A claim is confirmed when "
    "all its comparisons hold and refuted when one is reversed. The intervals are not "
    "corrected for the number of comparisons, and a verdict speaks of this data set and these "
    "settings only."
)

Measure = Callable[[Evaluation, str, int], np.ndarray]


@dataclass(frozen=True)
class Comparison:
    """One mean difference over paired seeds, in percentage points.

    Args:
        description: what is subtracted from what.
        mean: mean difference.
        interval: ends of the 95% t-interval; None with fewer than three seeds.
        seeds: number of paired seeds.
        paper: the same difference in the paper's table, None where it prints none.

    Example:
        >>> Comparison("WARP - Softmax", mean=1.5, interval=(0.5, 2.5), seeds=3).outcome
        'holds'
    """

    description: str
    mean: float
    interval: tuple[float, float] | None
    seeds: int
    paper: float | None = None

    @property
    def outcome(self) -> str:
        """`holds`, `reversed` or `undecided`."""
        if self.interval is None:
            return "undecided"
        low, high = self.interval
        return "holds" if low > 0 else "reversed" if high < 0 else "undecided"


@dataclass(frozen=True)
class Claim:
    """A claim of the paper at one k, with the comparisons it rests on.

    Args:
        number: 1 to 3.
        statement: the claim in words.
        k: number of tags an image.
        comparisons: the comparisons that the measured methods allow.
        missing: methods the claim speaks of that were not measured; it cannot be confirmed then.

    Example:
        >>> comparison = Comparison("WARP - Softmax", mean=1.5, interval=(0.5, 2.5), seeds=3)
        >>> Claim(2, "WARP is better than softmax", 3, (comparison,)).verdict
        'confirmed'
    """

    number: int
    statement: str
    k: int
    comparisons: tuple[Comparison, ...]
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`confirmed`, `refuted` or `not decided by these seeds`."""
        outcomes = {comparison.outcome for comparison in self.comparisons}
        if "reversed" in outcomes:
            return REFUTED
        return CONFIRMED if outcomes == {"holds"} and not self.missing else NOT_DECIDED


def judge_claims(evaluation: Evaluation, k: int) -> list[Claim]:
    """Judge the paper's three claims at one k.

    Args:
        evaluation: the measured scores.
        k: number of tags given to each image.

    Returns:
        The claims for which at least one comparison was measured, in order.

    Example:
        >>> for claim in judge_claims(evaluation, 3):
        ...     print(claim.number, claim.verdict)
        2 not decided by these seeds
        3 not decided by these seeds
    """
    cnns_win = [
        _of_figure(evaluation, k, cnn, baseline, figure)
        for cnn in CNN_METHODS
        for baseline in BASELINES
        for figure in CLAIMED_FIGURES
    ]
    softmax, ranking, warp = CNN_METHODS
    order = [
        _of_figure(evaluation, k, first, second, figure)
        for first, second in ((warp, softmax), (softmax, ranking))
        for figure in CLAIMED_FIGURES
    ]
    gain = [
        _of_figure(evaluation, k, warp, softmax, "per_class_recall"),
        _compare(
            evaluation,
            k,
            warp,
            softmax,
            _per_class_minus_overall_recall,
            "gain in per-class recall minus gain in overall recall, WARP over Softmax",
            _paper_difference(k, warp, softmax, ("per_class_recall", "overall_recall")),
        ),
        _compare(
            evaluation,
            k,
            warp,
            softmax,
            _rare_minus_frequent_recall,
            "gain in recall of the rarer half of the tags minus that of the more frequent half, "
            "WARP over Softmax",
        ),
    ]
    drafts = [
        (
            "Every CNN beats kNN and SVM on per-class recall and on overall recall and precision.",
            cnns_win,
            (*BASELINES, *CNN_METHODS),
        ),
        (
            "On per-class recall and on overall recall and precision, WARP is ahead of Softmax "
            "and Softmax ahead of Ranking.",
            order,
            CNN_METHODS,
        ),
        (
            "WARP's gain over Softmax is in per-class recall, and on the rare tags.",
            gain,
            (warp, softmax),
        ),
    ]
    claims = []
    for number, (statement, comparisons, methods) in enumerate(drafts, start=1):
        measured = tuple(comparison for comparison in comparisons if comparison is not None)
        if measured:
            missing = tuple(method for method in methods if method not in evaluation.scores)
            claims.append(Claim(number, statement, k, measured, missing))
    return claims


def t_interval(mean: float, deviation: float, seeds: int) -> tuple[float, float] | None:
    """The 95% t-interval of a mean over seeds.

    Args:
        mean: over the seeds.
        deviation: sample standard deviation over the seeds.
        seeds: their number.

    Returns:
        Its ends; None with fewer than three seeds.

    Example:
        >>> [round(end, 2) for end in t_interval(10.0, 1.0, 3)]
        [7.52, 12.48]
    """
    if seeds < MIN_SEEDS:
        return None
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, seeds - 1) * deviation / np.sqrt(seeds))
    return mean - half, mean + half


def _of_figure(
    evaluation: Evaluation, k: int, first: str, second: str, figure: str
) -> Comparison | None:
    def measure(evaluation: Evaluation, method: str, k: int) -> np.ndarray:
        return np.array([seed[figure] for seed in evaluation.figures(method, k)])

    description = f"{figure.replace('_', ' ')}: {first} minus {second}"
    paper = _paper_difference(k, first, second, (figure,))
    return _compare(
        evaluation, k, first, second, measure, description.replace("per class", "per-class"), paper
    )


def _compare(
    evaluation: Evaluation,
    k: int,
    first: str,
    second: str,
    measure: Measure,
    description: str,
    paper: float | None = None,
) -> Comparison | None:
    if first not in evaluation.scores or second not in evaluation.scores:
        return None
    left, right = measure(evaluation, first, k), measure(evaluation, second, k)
    # Only a baseline may stand for all seeds: one trained seed says nothing about the others.
    if len(right) == 1 and second in BASELINES:
        right = np.repeat(right, len(left))
    seeds = min(len(left), len(right))
    differences = left[:seeds] - right[:seeds]
    mean = float(differences.mean())
    return Comparison(description, mean, _interval(differences), seeds, paper)


def _interval(differences: np.ndarray) -> tuple[float, float] | None:
    seeds = len(differences)
    if seeds < MIN_SEEDS:  # one seed has no deviation
        return None
    return t_interval(float(differences.mean()), float(differences.std(ddof=1)), seeds)


def _per_class_minus_overall_recall(evaluation: Evaluation, method: str, k: int) -> np.ndarray:
    return np.array(
        [
            seed["per_class_recall"] - seed["overall_recall"]
            for seed in evaluation.figures(method, k)
        ]
    )


def _rare_minus_frequent_recall(evaluation: Evaluation, method: str, k: int) -> np.ndarray:
    recall, _ = evaluation.per_tag(method, k)
    order = evaluation.frequency_order
    order = order[evaluation.test_counts[order] > 0]
    if len(order) < 2:  # no halves to speak of: no difference
        return np.zeros(len(recall))
    frequent, rare = np.array_split(order, 2)
    return recall[:, rare].mean(axis=1) - recall[:, frequent].mean(axis=1)


def _paper_difference(k: int, first: str, second: str, figures: tuple[str, ...]) -> float | None:
    left, right = paper_figures(first, k), paper_figures(second, k)
    if left is None or right is None:
        return None
    gains = [left[figure] - right[figure] for figure in figures]
    return gains[0] - sum(gains[1:])
