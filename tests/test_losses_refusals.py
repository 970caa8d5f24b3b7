"""What the losses refuse: options, shapes and labels, with what was received in the message."""

import numpy as np
import pytest
from losses_cases import LOSSES, every_loss
from losses_support import random_batch, reduced, tensor, value

from warptag.losses import WARP, PairwiseRanking, WeightedBinaryCrossentropy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": "approximate"}, "rank must be one of .*'sampled'.*got 'approximate'"),
        ({"negatives": "some"}, "negatives must be one of .*'all'.*got 'some'"),
        ({"normalization": None}, "normalization must be one of .*'violators'.*got None"),
        ({"margin": 0}, "margin must be a positive number, got 0"),
        ({"margin": -1.0}, "margin must be a positive number, got -1.0"),
        ({"margin": float("nan")}, "margin must be a positive number, got nan"),
        ({"margin": float("inf")}, "margin must be a positive number, got inf"),
        ({"margin": "1"}, "margin must be a positive number, got '1'"),
        ({"margin": None}, "margin must be a positive number, got None"),
        ({"seed": 1.5}, "seed must be an integer or None, got 1.5"),
        ({"seed": True}, "seed must be an integer or None, got True"),
    ],
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        WARP(**arguments)
    if not arguments.keys() & {"rank", "negatives", "seed"}:
        with pytest.raises(ValueError, match=message):
            PairwiseRanking(**arguments)


@every_loss
def test_an_unknown_label_format_is_named(name):
    with pytest.raises(ValueError, match="labels must be one of .*'ids'.*got 'one_hot'"):
        LOSSES[name](labels="one_hot")


BAD_WEIGHTS = [
    ([1.0, -0.5], r"at least 0 for every tag, got \[1.0, -0.5\]"),
    ([1.0, float("nan")], r"a finite number .*got \[1.0, nan\]"),
    ([float("inf"), 1.0], r"a finite number .*got \[inf, 1.0\]"),
    (2.0, "for every tag, got 2.0"),
    ([[1.0, 2.0]], r"for every tag, got \[\[1.0, 2.0\]\]"),
]


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS)
@every_loss
def test_bad_tag_weights_are_named(name, weights, message):
    with pytest.raises(ValueError, match="tag_weights must be .*" + message):
        LOSSES[name](tag_weights=weights)


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS)
def test_bad_positive_weights_are_named(weights, message):
    with pytest.raises(ValueError, match="positive_weights must be .*" + message):
        WeightedBinaryCrossentropy(positive_weights=weights)


@every_loss
def test_tag_weights_of_another_number_of_tags_are_refused(name):
    loss = LOSSES[name](tag_weights=[1.0] * 8)
    message = "tag_weights must be one number for each of the 9 tags, got 8"
    labels, scores = random_batch(dtype="float32")
    with pytest.raises(ValueError, match=message):
        value(loss, labels, scores, "eager")


def test_positive_weights_of_another_number_of_tags_are_refused():
    loss = WeightedBinaryCrossentropy(positive_weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="positive_weights must be one .* 9 tags, got 2"):
        value(loss, *random_batch(), "eager")


@every_loss
@pytest.mark.parametrize(
    ("labels_shape", "scores_shape"),
    [((4, 3), (4, 5)), ((1, 5), (4, 5)), ((5,), (4, 5)), ((4, 5, 1), (4, 5, 1)), ((4,), (4,))],
)
def test_shapes_that_do_not_fit_are_named(name, labels_shape, scores_shape):
    with pytest.raises(ValueError) as error:
        LOSSES[name]().call(np.zeros(labels_shape, "float32"), np.zeros(scores_shape, "float32"))
    message = str(error.value)
    assert "(batch, num_tags)" in message
    assert str(labels_shape) in message and str(scores_shape) in message


@pytest.mark.parametrize("wrong", [2, -2, 0.5, float("nan"), float("inf")])
@every_loss
def test_a_label_that_does_not_exist_is_named(name, wrong):
    labels, scores = random_batch(dtype="float32")
    labels[7, 3] = wrong
    message = rf"labels must be 1, 0 or -1 \(unknown\), got {float(wrong)}"
    with pytest.raises(ValueError, match=message):
        value(LOSSES[name](), labels, scores, "eager")
    with pytest.raises(ValueError, match=message):
        reduced(LOSSES[name](), labels, scores, "eager")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("int32", 2), ("uint8", 2), ("uint8", 255), ("int8", 127), ("int16", 32767), ("int32", 65537)],
)
def test_an_integer_label_that_does_not_exist_is_named(kind, wrong):
    """Also where its square overflows to 1: 127 * 127 = 1 in eight bits."""
    labels = np.array([[1, 0, wrong]], kind)
    with pytest.raises(ValueError, match=f"labels must be 1, 0 or -1.*got {wrong}"):
        PairwiseRanking().call(tensor(labels), tensor([[0.0, 1.0, 2.0]]))


def test_the_largest_integer_is_no_label():
    labels = np.array([[1, 0, 2**31 - 1]], "int32")
    with pytest.raises(ValueError, match="got 2147483647"):
        PairwiseRanking().call(tensor(labels), tensor([[0.0, 1.0, 2.0]]))
