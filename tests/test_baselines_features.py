"""Visual features: hand-made histograms, odd images, and whether they tell images apart."""

import numpy as np
import pytest
from sklearn.base import clone

from warptag.baselines import KNNAnnotator, SVMAnnotator, VisualFeatures
from warptag.baselines.features.histograms import (
    colour_histogram,
    gradient_histogram,
    hellinger,
)
from warptag.baselines.features.visual_words import dense_sift, learn_codebook, word_histograms


def striped_images(num_images, seed):
    """Grey images with noise, striped upright (tag 0) or across (tag 1): colour tells nothing."""
    random = np.random.default_rng(seed)
    images, labels = [], []
    for number in range(num_images):
        wave = np.sin(np.arange(64) * random.uniform(0.4, 0.8) + random.uniform(0, 6))
        stripes = np.tile(128 + 60 * wave, (64, 1))
        if number % 2:
            stripes = stripes.T
        noisy = stripes[..., np.newaxis] + random.normal(0, 20, (64, 64, 3))
        images.append(np.clip(noisy, 0, 255).astype(np.uint8))
        labels.append([1 - number % 2, number % 2])
    return images, np.array(labels)


@pytest.fixture(scope="module")
def fitted():
    images, labels = striped_images(40, seed=0)
    features = VisualFeatures(codebook_size=20, num_components=10, image_size=64)
    return features.fit(images), images, labels


def test_colour_histogram_by_hand():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = [255, 0, 31]  # bins 7, 0, 0
    image[0, 1] = [0, 32, 255]  # bins 0, 1, 7
    histogram = colour_histogram(image)
    assert histogram.shape == (512,)
    assert histogram[7 * 64] == 1 and histogram[1 * 8 + 7] == 1 and histogram[0] == 2


def test_hellinger_by_hand():
    np.testing.assert_allclose(
        hellinger(np.array([[1.0, 3.0], [0, 0]])), [[0.5, 0.75**0.5], [0, 0]]
    )


def test_words_fall_into_the_whole_and_their_quarter():
    codebook = np.stack([np.zeros(128), np.ones(128)]).astype(np.float32)
    descriptors = np.zeros((1, 16, 128), np.float32)  # a grid of 4 by 4 patches
    descriptors[0, 3] = 1  # top right
    descriptors[0, [12, 13]] = 1  # bottom left
    expected = [13, 3, 4, 0, 3, 1, 2, 2, 4, 0]
    np.testing.assert_array_equal(word_histograms(descriptors, codebook)[0], expected)


def test_patches_cover_the_square_row_by_row():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:16, 48:] = np.random.default_rng(0).integers(0, 256, (16, 16, 3))
    busy = dense_sift(image).any(axis=1).reshape(8, 8)
    assert busy[0, 7] and not busy[:, :4].any() and not busy[4:].any()


def test_codebook_has_no_more_words_than_different_patches():
    descriptors = np.repeat(np.eye(3, 128, dtype=np.float32), 50, axis=0)
    assert len(learn_codebook(descriptors, size=10, seed=0)) == 3


def test_features_tell_stripes_apart(fitted):
    features, images, labels = fitted
    X = features.transform(images)
    assert X.shape == (40, 30) and X.dtype == np.float32
    new_images, new_labels = striped_images(40, seed=1)
    new_X = features.transform(new_images)
    for annotator in (KNNAnnotator(k=5), SVMAnnotator()):
        scores = annotator.fit(X, labels).decision_function(new_X)
        assert (scores.argmax(axis=1) == new_labels.argmax(axis=1)).mean() > 0.9


def test_same_seed_same_features(fitted):
    features, images, _ = fitted
    again = clone(features).fit(images)
    np.testing.assert_allclose(again.transform(images), features.transform(images), atol=1e-5)
    np.testing.assert_array_equal(again.codebook_, features.codebook_)


def test_fit_transform_is_fit_and_transform(fitted, monkeypatch):
    features, images, _ = fitted
    expected = features.transform(images)
    np.testing.assert_allclose(clone(features).fit_transform(images), expected, atol=1e-5)
    # With more images than PCA is fitted on, all of them still come back.
    monkeypatch.setattr("warptag.baselines.features.visual_features._MAX_PCA_IMAGES", 15)
    assert clone(features).fit_transform(images).shape == (40, 30)


def test_an_image_has_the_same_features_in_any_batch(fitted):
    features, images, _ = fitted
    alone = features.transform(images[7:8])
    np.testing.assert_allclose(alone[0], features.transform(images)[7], atol=1e-5)
    assert features.transform([]).shape == (0, 30)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (64, 64, 3), (200, 100, 3)])
@pytest.mark.parametrize("value", [0, 127, 255])
def test_images_of_one_colour_and_any_size_are_finite(fitted, shape, value):
    vector = fitted[0].transform([np.full(shape, value, np.uint8)])
    assert vector.shape == (1, 30) and np.isfinite(vector).all()


def test_training_images_of_one_colour_are_finite():
    images = [np.full((40, 40, 3), value, np.uint8) for value in (0, 0, 200)]
    assert np.isfinite(VisualFeatures().fit_transform(images)).all()
    same = [images[0]] * 4
    assert np.isfinite(VisualFeatures().fit_transform(same)).all()


def test_gradients_of_one_colour_are_zero():
    assert not gradient_histogram(np.full((64, 64, 3), 9, np.uint8)).any()


def test_few_images_cap_the_components():
    images, _ = striped_images(5, seed=0)
    assert VisualFeatures(codebook_size=8).fit_transform(images).shape == (5, 3 * (5 - 1))


def test_images_are_read_as_a_stream(fitted):
    class Stream:
        def __init__(self, images):
            self.images = images

        def __len__(self):
            return len(self.images)

        def __iter__(self):
            return (image.copy() for image in self.images)

    features, images, _ = fitted
    np.testing.assert_array_equal(features.transform(Stream(images)), features.transform(images))


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)],
)
def test_bad_images_are_refused_by_number(fitted, image):
    with pytest.raises(ValueError, match="image 1 must be a uint8 array"):
        fitted[0].transform([np.zeros((8, 8, 3), np.uint8), image])


@pytest.mark.parametrize(
    "arguments", [{"codebook_size": 0}, {"num_components": 0}, {"image_size": 31}]
)
def test_bad_parameters_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        VisualFeatures(**arguments).fit(striped_images(2, seed=0)[0])


def test_one_training_image_is_refused():
    with pytest.raises(ValueError, match="at least 2 training images"):
        VisualFeatures().fit(striped_images(1, seed=0)[0])
