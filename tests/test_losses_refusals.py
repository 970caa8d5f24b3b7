"""Invalid options, shapes and labels: the error names what was received."""

import re

import numpy as np
import pytest
from losses_cases import KINDS, LOSSES
from losses_support import random_batch, reduced, tensor, value

from warptag.losses import (
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)

one_of_each_kind = pytest.mark.parametrize("name", KINDS)


@pytest.mark.parametrize(
    ("make", "option", "wrong"),
    [
        (WARP, "rank", "approximate"),
        (WARP, "negatives", "some"),
        (WARP, "seed", 1.5),
        (WARP, "seed", True),
        *((PairwiseRanking, "normalization", wrong) for wrong in ("tags", None)),
        *(
            (PairwiseRanking, "margin", wrong)
            for wrong in (0, -1.0, float("nan"), float("inf"), "1", None)
        ),
        *((AsymmetricLoss, "gamma_positive", wrong) for wrong in (-1, float("nan"))),
        *((AsymmetricLoss, "gamma_negative", wrong) for wrong in (-0.5, float("inf"))),
        *((AsymmetricLoss, "clip", wrong) for wrong in (1.0, -0.1, float("nan"))),
        (PairwiseRanking, "labels", "one_hot"),
        *((KOrderStatisticWARP, "places", wrong) for wrong in ((), (0, 0), (1, -1), [[1, 2]])),
        (KOrderStatisticWARP, "normalization", "pairs"),
    ],
)
def test_bad_options_are_named(make, option, wrong):
    with pytest.raises(ValueError, match=f"{option} must be .*got {re.escape(repr(wrong))}"):
        make(**{option: wrong})


@pytest.mark.parametrize(
    "weights", [[1.0, -0.5], [1.0, float("nan")], [float("inf"), 1.0], 2.0, [[1.0, 2.0]]], ids=str
)
@pytest.mark.parametrize("option", ["tag_weights", "positive_weights"])
def test_bad_weights_are_named(option, weights):
    with pytest.raises(ValueError, match=f"{option} must be") as error:
        WeightedBinaryCrossentropy(**{option: weights})
    assert str(error.value).endswith(f"got {weights!r}")


@one_of_each_kind
def test_weights_for_another_number_of_tags_are_refused(name):
    loss = LOSSES[name](tag_weights=[1.0] * 8)
    with pytest.raises(ValueError, match="tag_weights must .* 9 tags, got 8"):
        value(loss, *random_batch(dtype="float32"), "eager")


def test_positive_weights_for_another_number_of_tags_are_refused():
    loss = WeightedBinaryCrossentropy(positive_weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="positive_weights must .* 9 tags, got 2"):
        value(loss, *random_batch(), "eager")


@one_of_each_kind
@pytest.mark.parametrize(
    ("labels_shape", "scores_shape"),
    [((4, 3), (4, 5)), ((1, 5), (4, 5)), ((5,), (4, 5)), ((4, 5, 1), (4, 5, 1)), ((4,), (4,))],
)
def test_shapes_that_do_not_match_are_named(name, labels_shape, scores_shape):
    with pytest.raises(ValueError) as error:
        LOSSES[name]().call(np.zeros(labels_shape, "float32"), np.zeros(scores_shape, "float32"))
    message = str(error.value)
    assert "(batch, num_tags)" in message
    assert str(labels_shape) in message and str(scores_shape) in message


@pytest.mark.parametrize("wrong", [2, 0.5, float("nan"), float("inf")])
@one_of_each_kind
def test_an_invalid_label_is_named(name, wrong):
    labels, scores = random_batch(dtype="float32")
    labels[7, 3] = wrong
    message = rf"labels must be 1, 0 or -1 \(unknown\), got {float(wrong)}"
    for compute in (value, reduced):
        with pytest.raises(ValueError, match=message):
            compute(LOSSES[name](), labels, scores, "eager")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("uint8", 2), ("uint8", 255), ("int8", 127), ("int16", 32767), ("int32", 2**31 - 1)],
)
def test_an_invalid_integer_label_is_named(kind, wrong):
    """Even if its square overflows to 1: 127 * 127 = 1 in eight bits."""
    labels = np.array([[1, 0, wrong]], kind)
    with pytest.raises(ValueError, match=f"labels must be .*got {wrong}"):
        PairwiseRanking().call(tensor(labels), tensor([[0.0, 1.0, 2.0]]))
