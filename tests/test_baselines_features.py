"""Visual features as a whole: odd images, the cache, and whether they tell images apart."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from warptag.baselines import KNNAnnotator, VisualFeatures
from warptag.baselines.features import visual_features
from warptag.baselines.features.descriptors import BAGS
from warptag.baselines.features.extraction import describe_image
from warptag.baselines.features.gist import gist

ROOT = Path(__file__).parents[1]
SETTINGS = {"codebook_size": 8, "num_components": 4, "image_size": 32}


def striped_images(num_images, seed):
    """Grey images with noise, striped upright (tag 0) or across (tag 1): colour tells nothing."""
    random = np.random.default_rng(seed)
    images, labels = [], []
    for number in range(num_images):
        wave = np.sin(np.arange(40) * random.uniform(0.4, 0.8) + random.uniform(0, 6))
        stripes = np.tile(128 + 60 * wave, (40, 1))
        if number % 2:
            stripes = stripes.T
        noisy = stripes[..., np.newaxis] + random.normal(0, 20, (40, 40, 3))
        images.append(np.clip(noisy, 0, 255).astype(np.uint8))
        labels.append([1 - number % 2, number % 2])
    return images, np.array(labels)


IMAGES, LABELS = striped_images(24, seed=0)


@pytest.fixture(scope="module")
def fitted():
    features = VisualFeatures(**SETTINGS)
    return features, features.fit_transform(IMAGES)


def count_descriptions(monkeypatch, stop_after=None):
    """The images described from now on; an interrupt after so many."""
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


def test_features_tell_stripes_apart(fitted):
    features, X = fitted
    assert X.shape == (24, 9 * 4) and X.dtype == np.float32
    assert features.blocks_ == [4] * 9
    new_images, new_labels = striped_images(24, seed=1)
    new_X = features.transform(new_images)
    scores = KNNAnnotator(k=5).fit(X, LABELS).decision_function(new_X)
    assert (scores.argmax(axis=1) == new_labels.argmax(axis=1)).mean() > 0.9


def test_the_same_seed_gives_the_same_features_in_any_batch(fitted, monkeypatch, small_chunks):
    features, X = fitted
    again = clone(features).fit(IMAGES)
    np.testing.assert_allclose(again.transform(IMAGES), X, atol=1e-5)
    for name, codebook in features.codebooks_.items():
        np.testing.assert_array_equal(again.codebooks_[name], codebook)
    np.testing.assert_allclose(features.transform(IMAGES[7:8])[0], X[7], atol=1e-5)
    assert features.transform([]).shape == (0, 36)
    # With more images than PCA is fitted on, all of them are returned.
    monkeypatch.setattr(visual_features, "_MAX_EMBEDDING_CHUNKS", 1)
    few = clone(features)
    np.testing.assert_allclose(few.fit_transform(IMAGES), few.transform(IMAGES), atol=1e-5)


def test_bad_images_and_parameters_are_named(fitted):
    for bad in (np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="image 1 "):
            fitted[0].transform([IMAGES[0], bad])
    for name, value in {"codebook_size": 0, "num_components": 0, "image_size": 31,
                        "histogram_kernel": "rbf", "gist_kernel": "rbf"}.items():  # fmt: skip
        with pytest.raises(ValueError, match=name):
            VisualFeatures(**{name: value}).fit(IMAGES)
    with pytest.raises(ValueError, match="at least 2"):
        VisualFeatures().fit(IMAGES[:1])


def test_an_interrupted_extraction_resumes(fitted, tmp_path, monkeypatch, small_chunks):
    features = VisualFeatures(**SETTINGS, cache_dir=tmp_path)
    with monkeypatch.context() as patch:
        count_descriptions(patch, stop_after=16)
        with pytest.raises(KeyboardInterrupt):
            features.fit_transform(IMAGES)
    described = count_descriptions(monkeypatch)
    np.testing.assert_allclose(features.fit_transform(IMAGES), fitted[1], atol=1e-5)
    np.testing.assert_allclose(features.transform(IMAGES[:8]), fitted[1][:8], atol=1e-5)
    assert len(described) == 8


def test_a_cache_of_other_images_or_settings_is_not_used(tmp_path, monkeypatch):
    images = [image.copy() for image in IMAGES[:3]]
    VisualFeatures(**SETTINGS, cache_dir=tmp_path).fit(images)
    described = count_descriptions(monkeypatch)
    for change in ({"codebook_size": 7}, {"image_size": 40}, {"seed": 1}, {}):
        if not change:
            images[2][5, 5] ^= 64
        changed = {**SETTINGS, **change}
        expected = VisualFeatures(**changed).fit_transform(images)
        described.clear()
        kept = VisualFeatures(**changed, cache_dir=tmp_path).fit_transform(images)
        np.testing.assert_array_equal(kept, expected)
        assert len(described) == 3


def test_a_damaged_file_of_the_cache_is_made_again(tmp_path):
    features = VisualFeatures(**SETTINGS, cache_dir=tmp_path)
    expected = features.fit_transform(IMAGES[:3])
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    for path in files:
        whole = path.read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        for damaged in (whole[:middle], flipped):
            path.write_bytes(damaged)
            np.testing.assert_array_equal(clone(features).fit_transform(IMAGES[:3]), expected)
            assert path.stat().st_size == len(whole)


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    features = VisualFeatures(**SETTINGS, cache_dir=tmp_path / "file")
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "file"))):
        features.fit(IMAGES[:2])


def test_the_code_in_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/baselines.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (code,) = (block for block in blocks if "VisualFeatures" in block)
    smaller = "VisualFeatures(codebook_size=8, num_components=4, image_size=32, cache_dir"
    names = {"train_images": IMAGES, "test_images": IMAGES[:3], "labels": LABELS}
    exec(code.replace("VisualFeatures(cache_dir", smaller), names)
    assert names["scores"].shape == (3, 2) and np.isfinite(names["scores"]).all()
    assert list((tmp_path / "histograms").iterdir())


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (90, 50, 3)])
def test_images_of_one_colour_and_any_size_are_finite(fitted, shape):
    images = [np.full(shape, value, np.uint8) for value in (0, 127, 255)]
    vectors = fitted[0].transform(images)
    assert vectors.shape == (3, 36) and np.isfinite(vectors).all()
    # As few training images cap the number of components.
    vectors = VisualFeatures(image_size=32).fit_transform(images)
    assert vectors.shape == (3, 9 * (3 - 1)) and np.isfinite(vectors).all()


@pytest.mark.parametrize(("side", "gist_side"), [(50, 48), (64, 64), (200, 128)])
def test_gist_is_not_computed_from_an_enlarged_image(side, gist_side):
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    codebooks = {name: np.zeros((1, length), np.float32) for name, length in BAGS.items()}
    np.testing.assert_array_equal(
        describe_image(image, codebooks)[:960], gist(image, size=gist_side)
    )
