"""Verdicts on the paper's claims, from scores built to confirm, refute or leave them open."""

import numpy as np
import pytest
from scipy import stats

from warptag.reporting import Evaluation
from warptag.reporting.claims import _outcome, claims_table

IMAGES, TAGS = 100, 10
# Image i has the one true tag i % 10; tag 0 is the most frequent in training.
LABELS = np.eye(TAGS, dtype=int)[np.arange(IMAGES) % TAGS]
TRAIN = np.arange(TAGS, 0, -1) * 10


def right(frequent, rare):
    """Scores that at k=1 are right for so many of the 10 images of each frequent or rare tag."""
    counts = [frequent] * 5 + [rare] * 5
    scores = np.zeros((IMAGES, TAGS))
    for image in range(IMAGES):
        tag = image % TAGS
        given = tag if image // TAGS < counts[tag] else (tag + 1) % TAGS
        scores[image, given] = 1
    return scores


def judge(scores, keep=slice(None), ks=(1,)):
    """Number of a claim -> its rows."""
    names = [f"tag{number}" for number in range(TAGS)]
    scores = {method: [array[keep] for array in arrays] for method, arrays in scores.items()}
    table = claims_table(Evaluation(names, LABELS[keep], TRAIN, scores, ks))
    return dict(iter(table.groupby("number")))


def verdicts(claims):
    return {number: rows["verdict"].iloc[0] for number, rows in claims.items()}


@pytest.fixture
def as_in_the_paper():
    """Three seeds; every CNN above the baselines, WARP > Softmax > Ranking, rare tags gain most.

    Every tag has ten images, so overall recall equals per-class recall.
    """
    return {
        "knn": [right(2, 1)],
        "svm": [right(1, 1)],
        "softmax": [right(6, 5), right(7, 5), right(6, 6)],
        "ranking": [right(4, 4), right(5, 4), right(4, 5)],
        "warp": [right(7, 8), right(8, 8), right(7, 9)],
    }


def test_claims_one_and_two_are_confirmed_when_every_difference_is_clear(as_in_the_paper):
    claims = judge(as_in_the_paper)
    assert (verdicts(claims)[1], verdicts(claims)[2]) == ("confirmed", "confirmed")
    assert (len(claims[1]), len(claims[2])) == (3 * 2 * 3, 2 * 3)


def test_one_reversed_comparison_refutes(as_in_the_paper):
    claims = judge(as_in_the_paper | {"knn": [right(9, 9)]})
    assert (verdicts(claims)[1], verdicts(claims)[2]) == ("refuted", "confirmed")
    assert set(claims[1]["outcome"]) == {"holds", "reversed"}


def test_seeds_that_disagree_decide_nothing(as_in_the_paper):
    claims = judge(as_in_the_paper | {"warp": [right(9, 9), right(5, 5), right(6, 6)]})
    assert verdicts(claims)[2] == "undecided"


def test_two_seeds_decide_nothing_and_give_no_interval(as_in_the_paper):
    claims = judge({method: arrays[:2] for method, arrays in as_in_the_paper.items()})
    assert set(verdicts(claims).values()) == {"undecided"}
    assert claims[1]["low"].isna().all()


def test_a_single_trained_seed_does_not_count_as_three(as_in_the_paper):
    claims = judge(as_in_the_paper | {"softmax": as_in_the_paper["softmax"][:1]})
    assert verdicts(claims)[2] == "undecided"
    # Ranking and WARP still have three seeds against the one value of kNN.
    assert claims[1]["seeds"].tolist() == [1] * 6 + [3] * 12


def test_the_interval_is_the_paired_t_interval(as_in_the_paper):
    claims = judge(as_in_the_paper)
    # Softmax recall: 55, 60, 60; WARP: 75, 80, 80. Then against kNN (15): 40, 45, 45.
    first = claims[2].iloc[0]
    assert (first["mean"], first["low"], first["high"]) == (20, 20, 20)  # the seeds agree
    differences = np.array([40.0, 45.0, 45.0])
    half = stats.t.ppf(0.975, 2) * differences.std(ddof=1) / 3**0.5
    ends = claims[1].iloc[0][["low", "high"]]
    assert ends.tolist() == pytest.approx(
        [differences.mean() - half, differences.mean() + half], abs=0.006
    )


@pytest.mark.parametrize(
    ("warp", "verdict", "outcomes"),
    [
        ([right(6, 8), right(7, 8), right(6, 8)], "confirmed", ["holds"] * 3),
        ([right(8, 1), right(9, 1), right(8, 1)], "refuted", ["holds", "reversed", "reversed"]),
    ],
    ids=["rare", "frequent"],
)
def test_claim_three_asks_for_the_gain_where_tags_are_rare(warp, verdict, outcomes):
    # Uneven numbers of images: tag 9 keeps 2 of its 10, so per-class and overall recall differ.
    keep = [image for image in range(IMAGES) if image % TAGS != 9 or image // TAGS < 2]
    softmax = [right(5, 1), right(6, 1), right(5, 1)]
    claim = judge({"softmax": softmax, "warp": warp}, keep)[3]
    assert (claim["verdict"].iloc[0], claim["outcome"].tolist()) == (verdict, outcomes)


def test_rarer_half_minus_more_frequent_half_by_hand():
    # Gains of 2 of 10 on the frequent five and 3, 4 of 10 on the rare five.
    scores = {"softmax": [right(5, 5)] * 3, "warp": [right(7, 8), right(7, 9), right(7, 9)]}
    mean = judge(scores)[3]["mean"].iloc[2]
    assert mean == pytest.approx(((30 - 20) + (40 - 20) + (40 - 20)) / 3, abs=0.006)


def test_a_missing_method_cannot_confirm_but_can_refute(as_in_the_paper):
    del as_in_the_paper["svm"]
    claims = judge(as_in_the_paper)
    assert verdicts(claims)[1] == "undecided"
    assert set(claims[1]["not_measured"]) == {"Visual Feature + SVM"}
    assert verdicts(judge(as_in_the_paper | {"knn": [right(9, 9)]}))[1] == "refuted"


def test_nothing_is_claimed_without_networks():
    assert judge({"upper_bound": [right(9, 9)], "upper_bound_random": [right(9, 8)]}) == {}


def test_the_papers_differences(as_in_the_paper):
    claim = judge(as_in_the_paper, ks=(3,))[3]
    # Per-class recall 35.60 - 31.22; that minus overall recall 60.49 - 59.52; none for the halves.
    assert claim["paper"].fillna(0).tolist() == pytest.approx([4.38, 3.41, 0])


@pytest.mark.parametrize(
    ("interval", "outcome"),
    [
        ((0.1, 2.0), "holds"),
        ((-2.0, -0.1), "reversed"),
        ((-0.1, 2.0), "undecided"),
        ((0.0, 0.0), "undecided"),
        (None, "undecided"),
    ],
)
def test_the_outcome_follows_the_interval(interval, outcome):
    assert _outcome(interval) == outcome
