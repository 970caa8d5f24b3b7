"""Verdicts on the paper's claims, from scores built to confirm, refute or leave them open."""

import numpy as np
import pytest
from scipy import stats

from warptag.reporting import BASELINES, CNN_METHODS, Evaluation, judge_claims, tables_markdown
from warptag.reporting.claims import CONFIRMED, NOT_DECIDED, REFUTED, Comparison

SOFTMAX, RANKING, WARP = CNN_METHODS
IMAGES, TAGS = 100, 10
# Image i has the one true tag i % 10; tag 0 is the most frequent in training.
LABELS = np.eye(TAGS, dtype=int)[np.arange(IMAGES) % TAGS]
TRAIN = np.arange(TAGS, 0, -1) * 10


def right_for(*counts):
    """Scores that at k=1 are right for the first counts[j] of the 10 images of tag j."""
    scores = np.zeros((IMAGES, TAGS))
    for image in range(IMAGES):
        tag = image % TAGS
        given = tag if image // TAGS < counts[tag] else (tag + 1) % TAGS
        scores[image, given] = 1
    return scores


def right(frequent, rare):
    return right_for(*[frequent] * 5, *[rare] * 5)


def judge(scores, k=1):
    return {claim.number: claim for claim in judge_claims(make(scores, (k,)), k)}


def make(scores, ks=(1,)):
    names = [f"tag{number}" for number in range(TAGS)]
    return Evaluation(names, LABELS, TRAIN, scores, ks, False, "toy")


def as_in_the_paper():
    """Three seeds; every CNN above the baselines, WARP > Softmax > Ranking, rare tags gain most.

    Every tag has ten images, so overall recall equals per-class recall.
    """
    return {
        BASELINES[0]: [right(2, 1)],
        BASELINES[1]: [right(1, 1)],
        SOFTMAX: [right(6, 5), right(7, 5), right(6, 6)],
        RANKING: [right(4, 4), right(5, 4), right(4, 5)],
        WARP: [right(7, 8), right(8, 8), right(7, 9)],
    }


def test_claims_one_and_two_are_confirmed_when_every_difference_is_clear():
    claims = judge(as_in_the_paper())
    assert claims[1].verdict == CONFIRMED
    assert len(claims[1].comparisons) == 3 * 2 * 3
    assert claims[2].verdict == CONFIRMED
    assert len(claims[2].comparisons) == 2 * 3


def test_one_reversed_comparison_refutes():
    scores = as_in_the_paper()
    scores[BASELINES[0]] = [right(9, 9)]
    claims = judge(scores)
    assert claims[1].verdict == REFUTED
    assert {comparison.outcome for comparison in claims[1].comparisons} == {"holds", "reversed"}
    assert claims[2].verdict == CONFIRMED


def test_seeds_that_disagree_decide_nothing():
    scores = as_in_the_paper()
    scores[WARP] = [right(9, 9), right(5, 5), right(6, 6)]
    assert judge(scores)[2].verdict == NOT_DECIDED


def test_two_seeds_decide_nothing_and_give_no_interval():
    scores = {method: arrays[:2] for method, arrays in as_in_the_paper().items()}
    for claim in judge(scores).values():
        assert claim.verdict == NOT_DECIDED
        assert all(comparison.interval is None for comparison in claim.comparisons)


def test_a_single_trained_seed_does_not_stand_for_three():
    scores = as_in_the_paper()
    scores[SOFTMAX] = scores[SOFTMAX][:1]
    claims = judge(scores)
    assert claims[2].verdict == NOT_DECIDED
    assert claims[2].comparisons[0].seeds == 1
    # Ranking and WARP still have three seeds against the one value of kNN.
    assert [comparison.seeds for comparison in claims[1].comparisons] == [1] * 6 + [3] * 12


def test_interval_is_the_paired_t_interval():
    comparison = judge(as_in_the_paper())[2].comparisons[0]
    # Softmax recall: 55, 60, 60; WARP: 75, 80, 80. Then against kNN (15): 40, 45, 45.
    assert comparison.mean == pytest.approx(20)
    assert comparison.interval == pytest.approx((20, 20))  # paired: the seeds agree exactly
    against_knn = judge(as_in_the_paper())[1].comparisons[0]
    differences = np.array([40.0, 45.0, 45.0])
    half = stats.t.ppf(0.975, 2) * differences.std(ddof=1) / 3**0.5
    mean = differences.mean()
    assert against_knn.interval == pytest.approx((mean - half, mean + half))


def test_claim_three_asks_for_the_gain_where_tags_are_rare():
    # Uneven numbers of images: tag 9 keeps 2 of its 10, so per-class and overall recall differ.
    keep = [image for image in range(IMAGES) if image % TAGS != 9 or image // TAGS < 2]

    def cut(scores):
        return {method: [array[keep] for array in arrays] for method, arrays in scores.items()}

    names = [f"tag{number}" for number in range(TAGS)]
    softmax = [right(5, 1), right(6, 1), right(5, 1)]
    on_rare = [right(6, 8), right(7, 8), right(6, 8)]
    on_frequent = [right(8, 1), right(9, 1), right(8, 1)]
    verdicts = {}
    for name, warp in (("rare", on_rare), ("frequent", on_frequent)):
        scores = cut({SOFTMAX: softmax, WARP: warp})
        evaluation = Evaluation(names, LABELS[keep], TRAIN, scores, (1,), False, "toy")
        claim = [claim for claim in judge_claims(evaluation, 1) if claim.number == 3][0]
        verdicts[name] = claim.verdict, [comparison.outcome for comparison in claim.comparisons]
    assert verdicts["rare"] == (CONFIRMED, ["holds", "holds", "holds"])
    assert verdicts["frequent"] == (REFUTED, ["holds", "reversed", "reversed"])


def test_rarer_half_minus_more_frequent_half_by_hand():
    # Gains of 2 of 10 on the frequent five and 3, 4 of 10 on the rare five.
    softmax, warp = [right(5, 5)] * 3, [right(7, 8), right(7, 9), right(7, 9)]
    comparison = judge({SOFTMAX: softmax, WARP: warp})[3].comparisons[2]
    assert comparison.mean == pytest.approx(((30 - 20) + (40 - 20) + (40 - 20)) / 3)


def test_a_missing_method_cannot_confirm_but_can_refute():
    scores = as_in_the_paper()
    del scores[BASELINES[1]]
    claim = judge(scores)[1]
    assert (claim.verdict, claim.missing) == (NOT_DECIDED, (BASELINES[1],))
    scores[BASELINES[0]] = [right(9, 9)]
    assert judge(scores)[1].verdict == REFUTED


def test_nothing_is_claimed_without_networks():
    scores = {"Upper bound": [right(9, 9)], "Upper bound (random)": [right(9, 8)]}
    assert judge(scores) == {}
    assert "claims" not in tables_markdown(make(scores))


def test_markdown_shows_verdict_interval_and_paper():
    text = tables_markdown(make(as_in_the_paper(), ks=(1, 3)))
    assert "### Claim 1, k = 1: confirmed" in text
    assert "| +20.00 | +20.00 to +20.00 | holds |" in text
    # The paper's difference at k=3: 35.60 - 31.22.
    assert "*+4.38*" in text


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
def test_outcome_follows_the_interval(interval, outcome):
    assert Comparison("a minus b", 1.0, interval, 3).outcome == outcome
