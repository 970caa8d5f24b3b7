"""Labels and scores at the edges: empty rows, unknown tags, ties, huge and half scores."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from test_losses_reference import random_batch

from warptag.losses import WARP, MultilabelSoftmax, PairwiseRanking
from warptag.losses.pairwise_ranking import NORMALIZATIONS

LOSSES: dict[str, Callable] = {
    "softmax": MultilabelSoftmax,
    **{f"ranking-{n}": partial(PairwiseRanking, normalization=n) for n in NORMALIZATIONS},
    "exact": lambda: WARP(rank="exact"),
    "expected": lambda: WARP(rank="expected"),
    "sampled": lambda: WARP(rank="sampled", seed=1),
    "loop": lambda: WARP(rank="loop", seed=1),
    "one-negative": lambda: WARP(rank="sampled", negatives="sampled", seed=1),
}
DETERMINISTIC = [name for name in LOSSES if name not in ("sampled", "loop", "one-negative")]

every_loss = pytest.mark.parametrize("name", LOSSES)
every_deterministic_loss = pytest.mark.parametrize("name", DETERMINISTIC)


def value_and_gradient(loss, labels, scores):
    scores = tf.convert_to_tensor(scores)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        values = loss.call(tf.convert_to_tensor(labels), scores)
    return values.numpy(), tf.cast(tape.gradient(values, scores), "float32").numpy()


@every_loss
@pytest.mark.parametrize("score", [0.0, 1e4, -1e4])
def test_rows_with_nothing_to_compare_are_zero_with_zero_gradient(name, score):
    labels = np.array([[0, 0, 0], [-1, -1, -1], [0, -1, 0], [1, -1, -1]], "float32")
    values, gradient = value_and_gradient(LOSSES[name](), labels, np.full((4, 3), score, "float32"))
    np.testing.assert_array_equal(values, np.zeros(4))
    np.testing.assert_array_equal(gradient, np.zeros((4, 3)))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "softmax"])
def test_a_row_without_negatives_is_zero_with_zero_gradient(name):
    labels = np.array([[1, 1, 1], [1, -1, 1]], "float32")
    scores = np.array([[3, -2, 1], [1e4, -1e4, 0]], "float32")
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores)
    np.testing.assert_array_equal(values, np.zeros(2))
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))


@every_loss
@pytest.mark.parametrize("label", [1.0, 0.0, -1.0])
def test_a_single_tag_has_no_loss(name, label):
    values, gradient = value_and_gradient(LOSSES[name](), [[label]], [[3.0]])
    np.testing.assert_array_equal(values, [0.0])
    np.testing.assert_array_equal(gradient, [[0.0]])


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "softmax"])
def test_of_two_tags_the_only_pair_counts_once(name):
    """c - 1 = 1 draw, which must hit, and L(1) = 1: every form is the one hinge."""
    values, gradient = value_and_gradient(LOSSES[name](), [[1.0, 0.0]], [[0.5, 2.0]])
    np.testing.assert_allclose(values, [1 - 0.5 + 2.0])
    np.testing.assert_allclose(gradient, [[-1.0, 1.0]])


@every_deterministic_loss
@pytest.mark.parametrize("hidden_score", [-1e4, 0.0, 1e4])
def test_unknown_tags_change_nothing(name, hidden_score):
    labels, scores = random_batch(seed=7, num_images=4)
    labels[labels == -1] = 0
    labels[:, 0] = 1
    hidden = np.insert(labels, [0, 4, 9], -1.0, axis=1)
    loss = LOSSES[name]()
    values, gradient = value_and_gradient(loss, labels, scores)
    known = hidden[0] != -1
    some, wider = value_and_gradient(
        loss, hidden, np.insert(scores, [0, 4, 9], hidden_score, axis=1)
    )
    assert some.any()
    np.testing.assert_allclose(some, values, rtol=1e-6)
    np.testing.assert_allclose(wider[:, known], gradient, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(wider[:, ~known], 0)


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores_are_computed_in_float32(name, dtype):
    labels, scores = random_batch(seed=8)
    half = tf.cast(scores, dtype)
    values, gradient = value_and_gradient(LOSSES[name](), labels, half)
    exact, _ = value_and_gradient(LOSSES[name](), labels, tf.cast(half, "float32"))
    assert values.dtype == np.float32
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(values, exact)


@every_loss
def test_integer_scores_and_labels_and_boolean_labels_are_taken(name):
    labels, scores = np.array([[1, 0, 0], [0, 1, 1]]), np.array([[0, 2, -1], [1, 0, 0]])
    expected = LOSSES[name]().call(labels.astype("float32"), scores.astype("float32"))
    assert np.asarray(expected).any()
    for kind in ("int32", "uint8", "bool"):
        np.testing.assert_array_equal(LOSSES[name]().call(labels.astype(kind), scores), expected)


@every_loss
def test_scores_of_ten_thousand_stay_finite(name):
    labels = np.array([[1, 0, 0, -1], [0, 1, 1, 0]], "float32")
    scores = np.array([[-1e4, 1e4, 0, 1e4], [1e4, -1e4, 1e4, -1e4]], "float32")
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores)
    assert np.isfinite(values).all() and np.isfinite(gradient).all()


def test_values_of_scores_of_ten_thousand():
    labels, scores = [[1.0, 0.0, 0.0]], [[-1e4, 1e4, 0.0]]
    # gaps 1 + 1e4 + 1e4 and 1 + 1e4
    sums = (1 + 1e4 + 1e4) + (1 + 1e4)
    np.testing.assert_allclose(PairwiseRanking(normalization="none").call(labels, scores), [sums])
    np.testing.assert_allclose(WARP(rank="exact").call(labels, scores), [1.5 * sums / 2])
    np.testing.assert_allclose(MultilabelSoftmax().call(labels, scores), [1e4 + 1e4])


@every_deterministic_loss
def test_tied_scores_are_treated_alike(name):
    labels = np.array([[1, 1, 0, 0, 0]], "float32")
    values, gradient = value_and_gradient(LOSSES[name](), labels, np.zeros((1, 5), "float32"))
    assert values[0] > 0
    np.testing.assert_allclose(gradient[0, :2], gradient[0, 0])
    np.testing.assert_allclose(gradient[0, 2:], gradient[0, 2])
    assert gradient[0, 0] < 0 < gradient[0, 2]


@every_deterministic_loss
def test_the_order_of_the_tags_does_not_matter(name):
    labels, scores = random_batch(seed=9)
    order = np.random.default_rng(0).permutation(labels.shape[1])
    values, gradient = value_and_gradient(LOSSES[name](), labels, scores)
    same, moved = value_and_gradient(LOSSES[name](), labels[:, order], scores[:, order])
    np.testing.assert_allclose(same, values, rtol=1e-6)
    np.testing.assert_allclose(moved, gradient[:, order], rtol=1e-5, atol=1e-6)


@every_loss
@pytest.mark.parametrize("shift", [-64.0, 1024.0])
def test_a_shift_of_all_scores_does_not_matter(name, shift):
    labels, scores = random_batch(seed=10)
    loss, other = LOSSES[name](), LOSSES[name]()
    values = np.asarray(loss.call(labels, scores))
    np.testing.assert_allclose(other.call(labels, scores + shift), values, rtol=1e-6, atol=1e-9)


@every_deterministic_loss
def test_every_image_has_its_own_scores(name):
    """An old Caffe layer read the first image's scores for all of them."""
    labels, scores = random_batch(seed=11)
    loss = LOSSES[name]()
    values = np.asarray(loss.call(labels, scores))
    alone = [np.asarray(loss.call(labels[i : i + 1], scores[i : i + 1])) for i in range(16)]
    assert values.shape == (16,) and len(np.unique(values)) > 8
    np.testing.assert_allclose(np.concatenate(alone), values, rtol=1e-6)


@every_deterministic_loss
def test_the_loss_does_not_grow_with_the_batch(name):
    labels, scores = random_batch(seed=12)
    once = float(LOSSES[name]()(labels, scores))
    thrice = float(LOSSES[name]()(np.tile(labels, (3, 1)), np.tile(scores, (3, 1))))
    assert thrice == pytest.approx(once, rel=1e-5)


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
