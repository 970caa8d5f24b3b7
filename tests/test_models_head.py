"""The head over features: finite scores where a feature hardly varies."""

import numpy as np

from warptag.models import Head


def test_images_that_are_all_alike_give_finite_scores():
    features = np.full((1, 3), 0.7, np.float32)
    head = Head(2, features[0], np.full(3, 1e-15), hidden_units=0)
    assert np.abs(head(features)).max() < 1


def test_a_feature_that_is_constant_in_training_is_not_enlarged_without_limit():
    variance = np.array([1.0, 1.0, 0.0])
    head = Head(2, np.zeros(3), variance, hidden_units=0)
    scores = [float(np.abs(head(np.array([[0.0, 0.0, value]]))).max()) for value in (0.0, 1.0)]
    assert scores[1] < 10
