"""Visual features as a whole: odd images, the cache, and whether they tell images apart."""

import numpy as np
import pytest
from sklearn.base import clone

from warptag.baselines import KNNAnnotator, SVMAnnotator, VisualFeatures
from warptag.baselines.features import visual_features


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
    features = VisualFeatures(codebook_size=20, num_components=10, image_size=32)
    return features.fit(images), images, labels


def test_features_tell_stripes_apart(fitted):
    features, images, labels = fitted
    X = features.transform(images)
    assert X.shape == (40, 90) and X.dtype == np.float32
    new_images, new_labels = striped_images(40, seed=1)
    new_X = features.transform(new_images)
    for annotator in (KNNAnnotator(k=5), SVMAnnotator()):
        scores = annotator.fit(X, labels).decision_function(new_X)
        assert (scores.argmax(axis=1) == new_labels.argmax(axis=1)).mean() > 0.9


def test_same_seed_same_features(fitted):
    features, images, _ = fitted
    again = clone(features).fit(images)
    np.testing.assert_allclose(again.transform(images), features.transform(images), atol=1e-5)
    for name, codebook in features.codebooks_.items():
        np.testing.assert_array_equal(again.codebooks_[name], codebook)


def test_fit_transform_is_fit_and_transform(fitted, monkeypatch):
    features, images, _ = fitted
    expected = features.transform(images)
    np.testing.assert_allclose(clone(features).fit_transform(images), expected, atol=1e-5)
    # With more images than PCA is fitted on, all of them still come back.
    monkeypatch.setattr("warptag.baselines.features.visual_features._MAX_EMBEDDING_CHUNKS", 1)
    monkeypatch.setattr("warptag.baselines.features.extraction.CHUNK", 20)
    few = clone(features)
    np.testing.assert_allclose(few.fit_transform(images), few.transform(images), atol=1e-5)
    assert few.transform(images).shape == (40, 90)


def test_an_image_has_the_same_features_in_any_batch(fitted):
    features, images, _ = fitted
    alone = features.transform(images[7:8])
    np.testing.assert_allclose(alone[0], features.transform(images)[7], atol=1e-5)
    assert features.transform([]).shape == (0, 90)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (64, 64, 3), (200, 100, 3)])
@pytest.mark.parametrize("value", [0, 127, 255])
def test_images_of_one_colour_and_any_size_are_finite(fitted, shape, value):
    vector = fitted[0].transform([np.full(shape, value, np.uint8)])
    assert vector.shape == (1, 90) and np.isfinite(vector).all()


def test_training_images_of_one_colour_are_finite():
    images = [np.full((40, 40, 3), value, np.uint8) for value in (0, 0, 200)]
    assert np.isfinite(VisualFeatures(image_size=32).fit_transform(images)).all()
    same = [images[0]] * 4
    assert np.isfinite(VisualFeatures(image_size=32).fit_transform(same)).all()


def test_few_images_cap_the_components():
    images, _ = striped_images(5, seed=0)
    assert VisualFeatures(codebook_size=8, image_size=32).fit_transform(images).shape == (
        5,
        9 * (5 - 1),
    )


def test_images_are_read_as_a_stream(fitted, monkeypatch, small_chunks):
    features, images, _ = fitted
    described, ahead = count_descriptions(monkeypatch), []

    class Stream:
        def __len__(self):
            return len(images)

        def __iter__(self):
            for number, image in enumerate(images):
                ahead.append(number - len(described))
                yield image.copy()

    expected = features.transform(images)
    del described[:]
    np.testing.assert_array_equal(features.transform(Stream()), expected)
    assert max(ahead) < 8


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)],
)
def test_bad_images_are_refused_by_number(fitted, image):
    with pytest.raises(ValueError, match="image 1 must be a uint8 array"):
        fitted[0].transform([np.zeros((8, 8, 3), np.uint8), image])


@pytest.mark.parametrize(
    "arguments",
    [
        {"codebook_size": 0},
        {"num_components": 0},
        {"image_size": 31},
        {"histogram_kernel": "rbf"},
        {"gist_kernel": "rbf"},
    ],
)
def test_bad_parameters_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        VisualFeatures(**arguments).fit(striped_images(2, seed=0)[0])


def test_one_training_image_is_refused():
    with pytest.raises(ValueError, match="at least 2 training images"):
        VisualFeatures().fit(striped_images(1, seed=0)[0])


def count_descriptions(monkeypatch, stop_after=None):
    """Names of images described from now on; an interrupt after so many."""
    described = []
    original = visual_features.describe_image

    def describe(image, codebooks):
        if stop_after is not None and len(described) >= stop_after:
            raise KeyboardInterrupt
        described.append(image)
        return original(image, codebooks)

    monkeypatch.setattr(visual_features, "describe_image", describe)
    return described


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("warptag.baselines.features.extraction.CHUNK", 8)


def test_an_interrupted_extraction_goes_on_where_it_was(tmp_path, monkeypatch, small_chunks):
    images, _ = striped_images(24, seed=0)
    settings = {"codebook_size": 8, "num_components": 4, "image_size": 32}
    expected = VisualFeatures(**settings).fit_transform(images)
    with monkeypatch.context() as patch:
        count_descriptions(patch, stop_after=16)
        with pytest.raises(KeyboardInterrupt):
            VisualFeatures(**settings, cache_dir=tmp_path).fit_transform(images)
    described = count_descriptions(monkeypatch)
    features = VisualFeatures(**settings, cache_dir=tmp_path)
    np.testing.assert_array_equal(features.fit_transform(images), expected)
    assert len(described) == 8
    np.testing.assert_array_equal(features.transform(images[:8]), expected[:8])
    assert len(described) == 8


def test_a_cache_of_other_images_or_settings_is_not_taken(tmp_path, monkeypatch):
    images, _ = striped_images(8, seed=0)
    settings = {"codebook_size": 8, "num_components": 4, "image_size": 32}
    VisualFeatures(**settings, cache_dir=tmp_path).fit(images)
    described = count_descriptions(monkeypatch)
    for change in ({"codebook_size": 7}, {"image_size": 40}, {"seed": 1}):
        changed = {**settings, **change}
        expected = VisualFeatures(**changed).fit_transform(images)
        del described[:]
        kept = VisualFeatures(**changed, cache_dir=tmp_path).fit_transform(images)
        np.testing.assert_array_equal(kept, expected)
        assert len(described) == 8
    images[3][5, 5] ^= 64
    del described[:]
    VisualFeatures(**settings, cache_dir=tmp_path).fit(images)
    assert len(described) == 8


def test_a_damaged_file_of_the_cache_is_made_again(tmp_path):
    images, _ = striped_images(8, seed=0)
    features = VisualFeatures(codebook_size=8, num_components=4, image_size=32, cache_dir=tmp_path)
    expected = features.fit_transform(images)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    for path in files:
        whole = path.read_bytes()
        middle = len(whole) // 2
        for damaged in (
            whole[:middle],
            whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        ):
            path.write_bytes(damaged)
            np.testing.assert_array_equal(clone(features).fit_transform(images), expected)
            assert path.stat().st_size == len(whole)


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    features = VisualFeatures(codebook_size=8, image_size=32, cache_dir=tmp_path / "file")
    with pytest.raises(OSError, match="cannot be kept .*another folder"):
        features.fit(striped_images(2, seed=0)[0])
