"""The default data set: label sets like NUS-WIDE's, pictures that show them."""

import pickle
from itertools import combinations

import cv2
import numpy as np
import pytest

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.scenes import Scenes
from tfrecords_tools.sources.scenes.fit_tag_statistics import fit
from tfrecords_tools.sources.scenes.render import render
from tfrecords_tools.sources.scenes.tag_statistics import MAX_TAGS, TagStatistics

NUM_TAGGED = 209_347
STATISTICS = TagStatistics()
TAGS = STATISTICS.tag_names


@pytest.fixture(scope="module")
def label_sets() -> np.ndarray:
    rng = np.random.default_rng(0)
    labels = np.zeros((8000, len(TAGS)), dtype=bool)
    for row in labels:
        row[list(STATISTICS.sample(rng))] = True
    return labels


def picture(tags: set[str], seed: int = 0, size: int = 64) -> np.ndarray:
    return render(tags, size, np.random.default_rng(seed))


def histogram(tags: set[str], seeds: range) -> np.ndarray:
    """Mean color histogram with 4 bins per channel; sums to 1."""
    pictures = np.concatenate([picture(tags, seed) for seed in seeds])
    counts = cv2.calcHist([pictures], [0, 1, 2], None, [4, 4, 4], [0, 256] * 3)
    return counts.ravel() / counts.sum()


def test_tags_are_those_of_nus_wide():
    assert len(TAGS) == 81
    assert sorted(TAGS) == TAGS
    assert (TAGS[0], TAGS[-1]) == ("airport", "zebra")
    assert STATISTICS.counts[TAGS.index("sky")] == STATISTICS.counts.max() == 74_190
    assert STATISTICS.counts[TAGS.index("map")] == STATISTICS.counts.min() == 60


def test_label_sets_have_the_real_size(label_sets):
    num_tags = label_sets.sum(axis=1)
    assert num_tags.min() >= 1
    assert num_tags.max() <= MAX_TAGS
    assert num_tags.mean() == pytest.approx(STATISTICS.counts.sum() / NUM_TAGGED, rel=0.05)


def test_label_sets_have_the_real_long_tail(label_sets):
    real = STATISTICS.counts / NUM_TAGGED
    drawn = label_sets.mean(axis=0)
    frequent = real > 0.02
    np.testing.assert_allclose(drawn[frequent], real[frequent], rtol=0.2)
    error = 5 * np.sqrt(real / len(label_sets)) + 0.15 * real
    assert (np.abs(drawn - real) < error).all()


@pytest.mark.parametrize(
    ("pair", "real"),
    [
        (("clouds", "sky"), 0.2166),
        (("sky", "water"), 0.0947),
        (("lake", "water"), 0.0540),
        (("buildings", "sky"), 0.0508),
        (("person", "sky"), 0.0273),
    ],
)
def test_frequent_pairs_have_the_real_frequency(label_sets, pair, real):
    both = label_sets[:, [TAGS.index(tag) for tag in pair]].all(axis=1)
    assert both.mean() == pytest.approx(real, rel=0.2)


def test_the_fit_finds_the_tree_behind_the_labels():
    rng = np.random.default_rng(0)
    root = rng.random(20_000) < 0.5
    child = np.where(root, rng.random(20_000) < 0.8, rng.random(20_000) < 0.1)
    grandchild = np.where(child, rng.random(20_000) < 0.7, rng.random(20_000) < 0.2)
    table = fit(["leaf", "root", "stem"], np.stack([grandchild, root, child], axis=1))
    assert list(table["parent"]) == ["stem", "", "root"]
    assert table["probability_parent_absent"][2] == pytest.approx(0.1, abs=0.02)
    assert table["probability_parent_present"][2] == pytest.approx(0.8, abs=0.02)


def test_same_seed_same_bytes_and_other_seed_other_bytes():
    first, again, other = (Scenes(seed, 32, train=3, test=2) for seed in (0, 0, 1))
    for split in ("train", "test"):
        for item in first.splits[split]:
            assert first.load(item) == again.load(item)
            assert first.load(item).encoded != other.load(item).encoded
    assert first.load(("train", 0)).encoded != first.load(("test", 0)).encoded


def test_a_picture_does_not_depend_on_how_many_there_are():
    few, many = Scenes(train=2, test=1, size=32), Scenes(train=9, validation=4, test=1, size=32)
    assert few.load(("train", 1)) == many.load(("train", 1))
    assert few.load(("test", 0)) == many.load(("test", 0))


def test_record():
    scenes = pickle.loads(pickle.dumps(Scenes(size=48, train=5, validation=0, test=0)))
    assert list(scenes.splits) == ["train"]
    record = scenes.load(scenes.splits["train"][3])
    decoded = cv2.imdecode(np.frombuffer(record.encoded, np.uint8), cv2.IMREAD_COLOR_RGB)
    _, painted = scenes.picture(("train", 3))
    assert record.filename == "train/000003.jpg"
    assert decoded.shape == (record.height, record.width, 3) == (48, 48, 3)
    assert np.abs(decoded.astype(int) - painted).mean() < 8
    assert list(record.tag_ids) == sorted(set(record.tag_ids))
    assert record.unknown_ids == ()


@pytest.fixture(scope="module")
def empty_scenes():
    return [picture(set(), seed) for seed in range(3)]


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_shows(tag, empty_scenes):
    # A good part of the picture differs from the same scene without the tag.
    changed = []
    for seed, empty in enumerate(empty_scenes):
        difference = picture({tag}, seed).astype(int) - empty
        changed.append((np.abs(difference).max(axis=-1) > 40).mean())
    assert np.median(changed) > 0.03


@pytest.mark.parametrize("size", [16, 33, 64, 256])
@pytest.mark.parametrize("tags", [{"sky", "cat", "lake", "house"}, set(TAGS)], ids=len)
def test_any_size(tags, size):
    painted = picture(tags, size=size)
    assert painted.shape == (size, size, 3)
    assert painted.dtype == np.uint8
    assert painted.std() > 10


@pytest.mark.parametrize(
    "tags",
    [
        ("cat", "dog", "bear", "horses"),
        ("cars", "vehicle", "train"),
        ("castle", "house", "temple", "buildings"),
        ("statue", "police", "person"),
        ("plane", "birds"),
    ],
)
def test_these_tags_do_not_differ_by_color_only(tags):
    # 1 is the same histogram; two samples of one tag's pictures reach about 0.85.
    histograms = {
        tag: histogram({tag}, range(60 * number, 60 * number + 60))
        for number, tag in enumerate(tags)
    }
    for first, second in combinations(tags, 2):
        overlap = np.minimum(histograms[first], histograms[second]).sum()
        assert overlap > 0.7, (first, second, overlap)


@pytest.mark.parametrize(
    "settings", [{"size": 8}, {"size": 512}, {"train": -1}, {"test": -3}, {"seed": -1}], ids=str
)
def test_bad_settings_are_named(settings):
    ((name, value),) = settings.items()
    with pytest.raises(InputError, match=f"{name} must be .* received {value}"):
        Scenes(**settings)
