"""Verdicts on the paper's claims, from scores built to confirm, refute or leave them open."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from warptag.reporting import Evaluation
from warptag.reporting.claims import claims_table
from warptag.reporting.display import verdict_text

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


#: Three seeds; every network above the baselines, WARP > Softmax > Ranking, rare tags gain most.
#: Every tag has ten images, so overall recall equals per-class recall.
AS_IN_THE_PAPER = {
    "knn": [right(2, 1)],
    "svm": [right(1, 1)],
    "softmax": [right(6, 5), right(7, 5), right(6, 6)],
    "ranking": [right(4, 4), right(5, 4), right(4, 5)],
    "warp": [right(7, 8), right(8, 8), right(7, 9)],
}


def judge(scores, keep=slice(None), k=1, pretrained=False):
    """Number of a claim -> its rows."""
    names = [f"tag{number}" for number in range(TAGS)]
    scores = {method: [array[keep] for array in arrays] for method, arrays in scores.items()}
    table = claims_table(Evaluation(names, LABELS[keep], TRAIN, scores, (k,)), pretrained)
    return dict(iter(table.groupby("number")))


@pytest.mark.parametrize(
    ("changes", "first", "second"),
    [
        ({}, "confirmed", "confirmed"),
        # One reversed comparison refutes, also if a method was not measured.
        ({"knn": [right(9, 9)]}, "refuted", "confirmed"),
        ({"knn": [right(9, 9)], "svm": None}, "refuted", "confirmed"),
        ({"svm": None}, "undecided", "confirmed"),
        # Seeds that disagree; two seeds; a single trained seed, which does not count as three.
        ({"warp": [right(9, 9), right(5, 5), right(6, 6)]}, "undecided", "undecided"),
        ({"warp": AS_IN_THE_PAPER["warp"][:2]}, "undecided", "undecided"),
        ({"softmax": AS_IN_THE_PAPER["softmax"][:1]}, "undecided", "undecided"),
    ],
)
def test_verdicts(changes, first, second):
    scores = {method: some for method, some in (AS_IN_THE_PAPER | changes).items() if some}
    claims = judge(scores)
    assert (set(claims[1]["verdict"]), set(claims[2]["verdict"])) == ({first}, {second})
    missing = "Visual Feature + SVM" if "svm" not in scores else ""
    assert set(claims[1]["not_measured"]) == {missing}
    assert len(claims[1]) == 3 * 3 * (1 if missing else 2) and len(claims[2]) == 2 * 3
    assert claims[1]["low"].isna().tolist() == (claims[1]["seeds"] < 3).tolist()


def test_the_interval_is_the_paired_t_interval():
    claims = judge(AS_IN_THE_PAPER)
    # Softmax recall: 55, 60, 60; WARP: 75, 80, 80. Then against kNN (15): 40, 45, 45.
    first = claims[2].iloc[0]
    assert (first["mean"], first["low"], first["high"]) == (20, 20, 20)  # the seeds agree
    differences = np.array([40.0, 45.0, 45.0])
    half = stats.t.ppf(0.975, 2) * differences.std(ddof=1) / 3**0.5
    ends = [differences.mean() - half, differences.mean() + half]
    assert claims[1].iloc[0][["low", "high"]].tolist() == pytest.approx(ends, abs=0.006)


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


def test_differences_by_hand():
    # Gains of 2 of 10 on the frequent five and 3, 4 of 10 on the rare five.
    scores = {"softmax": [right(5, 5)] * 3, "warp": [right(7, 8), right(7, 9), right(7, 9)]}
    mean = judge(scores)[3]["mean"].iloc[2]
    assert mean == pytest.approx(((30 - 20) + (40 - 20) + (40 - 20)) / 3, abs=0.006)
    # The paper's per-class recall 35.60 - 31.22, that minus its overall recall 60.49 - 59.52.
    assert judge(scores, k=3)[3]["paper"].fillna(0).tolist() == pytest.approx([4.38, 3.41, 0])


def test_pretrained_networks_are_judged_apart_and_without_the_papers_differences():
    pretrained = {f"pretrained_{loss}": [right(9, 9)] * 3 for loss in ("softmax", "warp")}
    scores = AS_IN_THE_PAPER | pretrained
    ours, others = judge(scores, k=3), judge(scores, k=3, pretrained=True)
    pd.testing.assert_frame_equal(pd.concat(ours), pd.concat(judge(AS_IN_THE_PAPER, k=3)))
    assert "Pretrained" not in pd.concat(ours).to_string()
    assert set(others[1]["not_measured"]) == {"Pretrained + Ranking"}
    assert "CNN" not in "".join(pd.concat(others)["comparison"])
    assert ours[1]["paper"].notna().all() and pd.concat(others)["paper"].isna().all()
    # Neither is judged by the other.
    assert judge(AS_IN_THE_PAPER, pretrained=True) == judge(pretrained) == {}


def test_a_claim_about_networks_and_baselines_names_the_number_of_training_images():
    names = [f"tag{number}" for number in range(TAGS)]
    evaluation = Evaluation(names, LABELS, TRAIN, AS_IN_THE_PAPER, ks=(1,), num_train_images=12_345)
    table = claims_table(evaluation).groupby("number").first()
    assert table["train_images"].tolist() == [12_345, 0, 0]
    assert "12,345 training images" in verdict_text(*table.loc[1, ["verdict", "train_images"]])
