"""Images at the edge: nothing to compare, one or two tags, huge and infinite scores."""

from functools import cache

import numpy as np
import pytest
from losses_cases import LOSSES, PAIRWISE, every_hinge_loss, every_loss
from losses_support import USUAL, in_the_last_graph, value, value_and_gradient

from warptag.losses import LSEP, WARP, AsymmetricLoss, MultilabelSoftmax

inf, nan = float("inf"), float("nan")

# (labels, scores) of single images, in one batch: none may influence another.
ROWS = {
    "nothing known": ([-1, -1, -1, -1], [1e4, -1e4, 2.0, 1e4]),
    "nothing known, infinite": ([-1, -1, -1, -1], [inf, -inf, inf, inf]),
    "no positive": ([0, 0, 0, 0], [0.0, 2.0, -3.0, 1e4]),
    "no positive, one unknown": ([0, -1, 0, 0], [-1e4, 1e4, -3.0, 1e4]),
    "only a positive": ([-1, 1, -1, -1], [0.0, 2.0, -3.0, 1e4]),
    "no negative": ([1, 1, 1, 1], [0.0, 2.0, -3.0, 1e4]),
    "no negative, one unknown": ([1, -1, 1, 1], [-1e4, 1e4, -3.0, 1e4]),
    "one pair": ([1, -1, 0, -1], [0.5, 9.0, 2.0, -9.0]),
    "huge": ([1, 0, 0, -1], [-1e4, 1e4, 0.0, 1e4]),
    "huge, well ordered": ([1, 0, 0, -1], [1e4, -1e4, 0.0, -1e4]),
    "unknown at infinity": ([1, -1, 0, -1], [0.5, inf, 2.0, -inf]),
    "negatives at -inf": ([1, 0, 0, -1], [0.5, -inf, -inf, 0.0]),
    "one negative at -inf": ([1, 0, 1, 0], [0.5, -inf, -3.0, 2.0]),
    "all at -inf, no positive": ([0, 0, 0, 0], [-inf, -inf, -inf, -inf]),
    "positive at inf": ([1, 0, 0, -1], [inf, 0.0, 2.0, 0.0]),
    "one positive at inf": ([1, 1, 0, -1], [0.5, inf, 2.0, -1.0]),
    "all at inf, no negative": ([1, 1, 1, 1], [inf, inf, inf, inf]),
}
LABELS = np.array([labels for labels, _ in ROWS.values()], "int32")
SCORES = np.array([scores for _, scores in ROWS.values()], "float32")


@cache
def every_row(name):
    values, gradient = value_and_gradient(LOSSES[name](), LABELS, SCORES)
    return dict(zip(ROWS, zip(values, gradient, strict=True), strict=True))


def zero_rows(name):
    yield "nothing known"
    if name in PAIRWISE or name == "softmax":
        yield from ("no positive", "no positive, one unknown", "only a positive")
    if name in PAIRWISE:
        yield from ("no negative", "no negative, one unknown")


@every_loss
def test_an_image_with_nothing_to_compare_is_zero_with_zero_gradient(name):
    for row in zero_rows(name):
        loss, gradient = every_row(name)[row]
        assert loss == 0 and not gradient.any(), row


@every_loss
def test_huge_and_infinite_scores_give_no_nan(name):
    """Negatives at -inf (a mask), positives at inf and unknown tags anywhere pull nothing."""
    rows = every_row(name)
    for row, (loss, gradient) in rows.items():
        assert np.isfinite(loss) and np.isfinite(gradient).all(), row
        assert not gradient[np.isinf(ROWS[row][1])].any(), row
    assert rows["huge"][0] > 1
    assert rows["huge, well ordered"][0] == pytest.approx(0, abs=1)


# The score of a positive is NaN, of a negative, of every known tag; of no tag, of an unknown tag.
NAN_LABELS = np.array([[1, 0, 1, 0, -1]] * 5, "int32")
NAN_SCORES = np.tile(np.array([0.5, 0.25, -0.5, 2.0, 1.0], "float32"), (5, 1))
NAN_SCORES[0, 0] = NAN_SCORES[1, 1] = NAN_SCORES[2, :4] = NAN_SCORES[4, 4] = nan


def check_nan_scores(loss, labels, mode, num_nan):
    values, gradient = value_and_gradient(loss, labels, NAN_SCORES, mode)
    assert np.isnan(values[:num_nan]).all()
    assert np.isnan(gradient[:num_nan, :4]).all()  # of every known tag
    assert np.isfinite(values[num_nan:]).all() and np.isfinite(gradient[num_nan:]).all()


@every_loss
def test_the_loss_of_an_image_with_a_score_of_nan_is_nan(name):
    """Or a diverged model would have the loss 0, and be kept as the best one."""
    check_nan_scores(LOSSES[name](), NAN_LABELS, USUAL, num_nan=3)


@in_the_last_graph
@pytest.mark.parametrize("name", ["softmax", "loop", "expected", "k-order"])
def test_a_score_of_nan_in_a_graph(name, mode):
    check_nan_scores(LOSSES[name](), NAN_LABELS, mode, num_nan=3)


def test_a_score_of_nan_with_ids():
    """All tags are known then, and no label says that the last one is not."""
    ids = np.array([[2, -1, 0]] * 5, "int32")
    values = value(WARP(labels="ids"), ids, NAN_SCORES)
    np.testing.assert_array_equal(np.isnan(values), [True, True, True, False, True])


@every_hinge_loss
def test_a_model_whose_scores_are_all_infinite_has_no_small_loss(name):
    loss = value(LOSSES[name](), [[1, 0, 0]], np.full((1, 3), inf, "float32"))
    assert not np.isfinite(loss).any()


@every_hinge_loss
def test_infinite_scores_leave_the_other_pairs(name):
    # The pair of 0.5 and 2, whatever the infinite one beside it.
    rows = every_row(name)
    assert rows["unknown at infinity"][0] == rows["one pair"][0]
    assert rows["negatives at -inf"][0] == 0
    if name == "ranking":
        assert rows["one positive at inf"][0] == (0 + (1 - 0.5 + 2)) / 2
        assert rows["one negative at -inf"][0] == ((1 - 0.5 + 2) + (1 + 3 + 2)) / 2


@every_hinge_loss
def test_of_one_pair_every_form_is_the_hinge(name):
    """c - 1 = 1 draw, which must hit, and L(1) = 1."""
    loss, gradient = every_row(name)["one pair"]
    assert loss == 1 - 0.5 + 2
    np.testing.assert_array_equal(gradient, [-1, 0, 1, 0])


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("gamma", [0.0, 4.0])
def test_the_asymmetric_loss_of_huge_scores_keeps_its_slope(gamma, clip):
    """Wrong by 10,000, a tag costs 10,000 (clipped: -log of the clip); correct, nothing."""
    loss = AsymmetricLoss(gamma_positive=gamma, gamma_negative=gamma, clip=clip)
    values, gradient = value_and_gradient(loss, [[1, 0, 1, 0]], [[-1e4, 1e4, 1e4, -1e4]])
    wrong_negative = -((1 - clip) ** gamma) * np.log(clip) if clip else 1e4
    np.testing.assert_allclose(values, [1e4 + wrong_negative], rtol=1e-5)
    np.testing.assert_allclose(gradient, [[-1, 0 if clip else 1, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("num_tags", [5, 40])
@pytest.mark.parametrize("make", [WARP, LSEP, MultilabelSoftmax])
def test_a_batch_without_images_has_no_losses(make, num_tags):
    labels = scores = np.zeros((0, num_tags), "float32")
    assert value(make(), labels, scores).shape == (0,)
