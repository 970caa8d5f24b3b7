"""Invalid options, shapes, labels and ids: the error names what was received."""

import re

import numpy as np
import pytest
from losses_cases import LOSSES
from losses_support import random_batch, reduced, tensor, value

from warptag.losses import (
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)

inf, nan = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("make", "option", "wrong"),
    [
        (WARP, "rank", "approximate"),
        (WARP, "negatives", "some"),
        *((WARP, "seed", wrong) for wrong in (1.5, True)),
        *((PairwiseRanking, "normalization", wrong) for wrong in ("tags", None)),
        *((PairwiseRanking, "margin", wrong) for wrong in (0, -1.0, nan, inf, "1", None)),
        (PairwiseRanking, "labels", "one_hot"),
        *((AsymmetricLoss, "gamma_positive", wrong) for wrong in (-1, nan)),
        *((AsymmetricLoss, "gamma_negative", wrong) for wrong in (-0.5, inf)),
        *((AsymmetricLoss, "clip", wrong) for wrong in (1.0, -0.1, nan)),
        *((KOrderStatisticWARP, "places", wrong) for wrong in ((), (0, 0), (1, -1), [[1, 2]])),
        (KOrderStatisticWARP, "normalization", "pairs"),
        *(
            (WARP, "tag_weights", wrong)
            for wrong in ([1.0, -0.5], [1.0, nan], [inf, 1.0], 2.0, [[1.0, 2.0]])
        ),
        (WeightedBinaryCrossentropy, "positive_weights", [1.0, -0.5]),
    ],
)
def test_bad_options_are_named(make, option, wrong):
    with pytest.raises(ValueError, match=f"{option} .*{re.escape(repr(wrong))}"):
        make(**{option: wrong})


@pytest.mark.parametrize("option", ["tag_weights", "positive_weights"])
def test_weights_for_another_number_of_tags_are_refused(option):
    loss = WeightedBinaryCrossentropy(**{option: [1.0] * 8})
    with pytest.raises(ValueError, match=f"{option} .*9.*8"):
        value(loss, *random_batch(dtype="float32"), "eager")


@pytest.mark.parametrize(
    ("labels_as", "labels_shape", "scores_shape"),
    [
        ("multi_hot", (4, 3), (4, 5)),
        ("multi_hot", (1, 5), (4, 5)),
        ("multi_hot", (5,), (4, 5)),
        ("multi_hot", (4, 5, 1), (4, 5, 1)),
        ("ids", (3, 2), (4, 5)),
        ("ids", (4,), (4, 5)),
        ("ids", (4, 2, 1), (4, 5)),
    ],
)
def test_shapes_that_do_not_match_are_named(labels_as, labels_shape, scores_shape):
    loss = PairwiseRanking(labels=labels_as)
    with pytest.raises(ValueError) as error:
        loss.call(np.zeros(labels_shape, "float32"), np.zeros(scores_shape, "float32"))
    assert str(labels_shape) in str(error.value) and str(scores_shape) in str(error.value)


@pytest.mark.parametrize(
    ("labels_as", "wrong"),
    [
        *(("multi_hot", wrong) for wrong in (2, 0.5, nan, inf)),
        *(("ids", wrong) for wrong in (9, -2, 100_000, 0.5, nan)),
    ],
)
@pytest.mark.parametrize("name", ["softmax", "sampled"])
def test_an_invalid_label_is_named(name, labels_as, wrong):
    labels, scores = random_batch(dtype="float32")
    labels[7, 3] = wrong
    for compute in (value, reduced):
        with pytest.raises(ValueError, match=f"got {float(wrong)}"):
            compute(LOSSES[name](labels=labels_as), labels, scores, "eager")


@pytest.mark.parametrize(
    ("kind", "wrong"), [("uint8", 255), ("int8", 127), ("int16", 32767), ("int32", 2**31 - 1)]
)
def test_an_invalid_integer_label_is_named(kind, wrong):
    """Even if its square overflows to 1: 127 * 127 = 1 in eight bits."""
    labels = np.array([[1, 0, wrong]], kind)
    with pytest.raises(ValueError, match=f"got {wrong}"):
        PairwiseRanking().call(tensor(labels), tensor([[0.0, 1.0, 2.0]]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_half_precision_loss_of_ids_is_refused(dtype):
    """float16 has no 2049: Keras would round the ids."""
    with pytest.raises(ValueError, match=dtype):
        PairwiseRanking(labels="ids", dtype=dtype)
