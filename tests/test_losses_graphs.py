"""The losses inside compiled graphs: invalid labels, unknown sizes, XLA."""

import numpy as np
import pytest
from losses_cases import LOSSES
from losses_support import (
    compiled,
    fresh,
    in_the_last_graph,
    numbers,
    only_on,
    padded_ids,
    random_batch,
    tensor,
    with_gradient,
)

from warptag.losses import WARP

INVALID_LABELS = {(3, 0): 2, (7, 3): 0.5, (8, 2): np.nan, (9, 1): -2}
INVALID_IDS = {(3, 0): 9, (7, 3): 0.5, (8, 2): np.nan, (9, 1): -2}


@in_the_last_graph
@pytest.mark.parametrize(
    ("name", "labels_as"),
    [("softmax", "multi_hot"), ("expected", "multi_hot"), ("bce", "ids"), ("k-order", "ids")],
)
def test_an_invalid_label_is_nan_for_its_image_alone(name, labels_as, mode):
    """A compiled graph cannot raise an error."""
    labels, scores = random_batch(dtype="float32")
    if labels_as == "ids":
        labels = padded_ids(labels, width=11).astype("float32")
    wrong = labels.copy()
    for place, label in (INVALID_LABELS if labels_as == "multi_hot" else INVALID_IDS).items():
        wrong[place] = label
    bad = [3, 7, 8, 9]
    good = np.setdiff1d(np.arange(16), bad)
    loss = LOSSES[name](labels=labels_as)
    call = compiled(with_gradient(loss.call), mode)
    values, gradient = map(numbers, call(tensor(wrong), tensor(scores)))
    assert np.isnan(values[bad]).all()
    assert np.isfinite(gradient).all()
    expected, slopes = map(numbers, call(tensor(labels), tensor(scores)))
    np.testing.assert_array_equal(values[good], expected[good])
    np.testing.assert_array_equal(gradient[good], slopes[good])


@only_on("tensorflow", "other backends know all sizes when they trace")
@pytest.mark.parametrize(
    ("name", "labels_as"), [("softmax", "ids"), ("sampled", "multi_hot"), ("k-order", "ids")]
)
def test_one_graph_serves_batches_of_any_size(name, labels_as):
    import tensorflow as tf

    loss = LOSSES[name](labels=labels_as)
    eager = fresh(loss)
    labels_spec, scores_spec = tf.TensorSpec((None, None)), tf.TensorSpec((None, 9))
    graph = tf.function(loss.call, input_signature=[labels_spec, scores_spec])
    for num_images, width in ((16, 9), (5, 11)):
        labels, scores = random_batch(num_images=num_images, dtype="float32")
        if labels_as == "ids":
            labels = padded_ids(labels, width).astype("float32")
        values = graph(labels, scores)
        assert values.shape == (num_images,)
        np.testing.assert_allclose(values, eager.call(labels, scores), rtol=1e-5, atol=1e-6)


@only_on("tensorflow", "other backends know all sizes when they trace")
def test_an_unknown_number_of_tags_is_refused():
    import tensorflow as tf

    spec = tf.TensorSpec((None, None))
    with pytest.raises(ValueError, match=r"\(None, None\)"):
        tf.function(WARP().call).get_concrete_function(spec, spec)
