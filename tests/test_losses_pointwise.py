"""The losses that treat every tag separately: WeightedBinaryCrossentropy, AsymmetricLoss."""

import keras
import losses_references as references
import numpy as np
import pytest
from losses_cases import TAG_WEIGHTS
from losses_support import (
    assert_close,
    numbers,
    only_on,
    random_batch,
    tensor,
    value,
    value_and_gradient,
)

from warptag.losses import AsymmetricLoss, WeightedBinaryCrossentropy

POSITIVE_WEIGHTS = [1.0, 2.0, 0.5, 0.0, 10.0, 1.0, 1.0, 3.0, 1.0]


def known_batch(seed=0):
    labels, scores = random_batch(seed)
    labels[labels == -1] = 0
    return labels, scores


@pytest.mark.parametrize("tag_weights", [None, TAG_WEIGHTS])
def test_positive_weights_multiply_the_positives_alone(tag_weights):
    labels, scores = random_batch(seed=1)
    loss = WeightedBinaryCrossentropy(POSITIVE_WEIGHTS, tag_weights=tag_weights)
    expected = references.binary_crossentropy(
        labels, scores, tag_weights=tag_weights, positive_weights=POSITIVE_WEIGHTS
    )
    assert_close(value(loss, labels, scores), expected)


def test_without_weights_it_is_keras_binary_crossentropy():
    labels, scores = known_batch()
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)
    expected = numbers(theirs.call(tensor(labels), tensor(scores)))
    actual = value(WeightedBinaryCrossentropy(), labels, scores)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@only_on("torch", "compares with PyTorch's own loss")
def test_with_weights_it_is_torchs_loss_with_pos_weight():
    import torch

    labels, scores = known_batch(seed=2)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(scores),
        torch.tensor(labels),
        weight=torch.tensor(TAG_WEIGHTS),
        pos_weight=torch.tensor(POSITIVE_WEIGHTS),
        reduction="none",
    ).mean(dim=1)
    loss = WeightedBinaryCrossentropy(POSITIVE_WEIGHTS, tag_weights=TAG_WEIGHTS)
    np.testing.assert_allclose(value(loss, labels, scores), expected.numpy(), rtol=1e-5)


def test_a_negative_below_the_clip_costs_nothing():
    # sigmoid(-3) = 0.047 is below the clip of 0.05, sigmoid(-2.9) = 0.052 is above.
    values, gradient = value_and_gradient(
        AsymmetricLoss(gamma_negative=1), [[0], [0]], [[-3.0], [-2.9]]
    )
    shifted = 1 / (1 + np.exp(2.9)) - 0.05
    np.testing.assert_allclose(values, [0.0, -shifted * np.log(1 - shifted)], rtol=1e-4)
    assert gradient[0, 0] == 0 and gradient[1, 0] > 0


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("gamma", [0.0, 4.0])
def test_huge_scores_keep_their_value_and_slope(gamma, clip):
    """Wrong by 10,000, a tag costs 10,000 (clipped: -log of the clip); correct, nothing."""
    labels = [[1, 0, 1, 0]]
    scores = [[-1e4, 1e4, 1e4, -1e4]]
    loss = AsymmetricLoss(gamma_positive=gamma, gamma_negative=gamma, clip=clip)
    values, gradient = value_and_gradient(loss, labels, scores)
    wrong_negative = -((1 - clip) ** gamma) * np.log(clip) if clip else 1e4
    np.testing.assert_allclose(values, [1e4 + wrong_negative], rtol=1e-5)
    np.testing.assert_allclose(gradient, [[-1, 0 if clip else 1, 0, 0]], atol=1e-6)
