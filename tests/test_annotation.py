"""Tags for photographs: the same scores as in evaluation, bounded memory, calibration."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph
from PIL import Image
from sklearn.linear_model import LogisticRegression

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from warptag.annotation import Tagger
from warptag.annotation.photographs import find_photographs
from warptag.annotation.tagger import BATCH_SIZE, BATCHES_AHEAD
from warptag.data import Records
from warptag.training import Calibration, fit_calibration, predict
from warptag.training.run_folder import load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("annotation") / "run")


@pytest.fixture(scope="module")
def tagger(run):
    return Tagger(run)


@pytest.mark.parametrize(
    ("size", "shorter_side", "patches"),
    [(24, True, "five"), (None, False, "center")],
)
def test_a_photograph_has_the_scores_that_evaluation_gives_its_record(
    tmp_path, size, shorter_side, patches
):
    run = make_run(tmp_path / "run", size, shorter_side)
    settings = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps({**settings, "patches": patches}))
    names = [f"{number}.{kind}" for number, kind in enumerate(["jpg", "png", "jpg", "webp"])]
    paths = [
        write_photograph(tmp_path / "photos" / name, seed, (40 + 20 * seed, 30))
        for seed, name in enumerate(names)
    ]
    images = [LabelledImage(name, (0,)) for name in names]
    source = ImageFiles(tmp_path / "photos", TAG_NAMES, {"test": images}, size, shorter_side)
    data = tmp_path / "records"
    convert(source, data, name="photos", settings=source.settings, workers=1)
    expected = predict(load_run(run)[0], Records(data, "test"), patches)
    found = [annotation.scores for annotation in Tagger(run).annotate(paths)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 0.01


def test_files_that_are_no_images_are_reported_in_their_place(tagger, tmp_path):
    good = write_photograph(tmp_path / "good.jpg")
    empty, text, folder = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "folder.jpg"
    empty.write_bytes(b"")
    text.write_text("not an image")
    folder.mkdir()
    truncated, bomb = tmp_path / "truncated.jpg", tmp_path / "bomb.png"
    truncated.write_bytes(good.read_bytes()[:-200])
    # A decompression bomb: 196 million pixels that take a few kilobytes.
    Image.new("1", (14_000, 14_000)).save(bomb)
    paths = [empty, good, text, truncated, folder, bomb, tmp_path / "missing.jpg"]
    annotations = list(tagger.annotate(paths))
    assert [annotation.path for annotation in annotations] == paths
    for annotation in annotations:
        if annotation.path == good:
            assert annotation.error is None
        else:
            assert annotation.scores is None and str(annotation.path) in str(annotation.error)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("calibration.json", '{"score": NaN, "log_sum_exp": 0, "intercept": 0}'),
        ("settings.json", '{"tag_names": ["a", "b", "c"], "patches": "center", "image": null}'),
        ("settings.json", '{"tag_names": ["a"], "patches": "center", "image": {"size": 24}}'),
        ("settings.json", "[" * 100_000),
        ("model.keras", "cut off"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(tmp_path, run, file, content):
    for path in run.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=file):
        Tagger(tmp_path)


def listed(*names, text=b""):
    return [str(path) for path in find_photographs(names, io.BytesIO(text))]


def test_files_folders_and_patterns_are_found_in_a_repeatable_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b/2.JPG", "b/1.png", "b/notes.txt", "b/.hidden.jpg", "b/.git/x.jpg", "a.jpeg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")
    Path("[odd] name.jpg").write_bytes(b"")
    assert listed("b") == ["b/1.png", "b/2.JPG"]
    assert listed(".") == ["[odd] name.jpg", "a.jpeg", "b/1.png", "b/2.JPG"]
    assert listed("**/*.jp*g", "b/notes.txt") == ["[odd] name.jpg", "a.jpeg", "b/notes.txt"]
    # A file of this name is meant, not a pattern; a missing file is reported when it is read.
    assert listed("[odd] name.jpg", "no*.jpg") == ["[odd] name.jpg", "no*.jpg"]
    # A folder without images stands for itself, and is reported when it is read.
    Path("empty").mkdir()
    assert listed("empty", "b/1.png") == ["empty", "b/1.png"]
    # Brackets are no pattern, in whatever name; no other file gets the tags of a missing one.
    for name in ("photo 1.jpg", "year [1]/photo 1.jpg", "year 1/photo 2.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    assert listed("photo [1].jpg", "year [1]/*.jpg") == ["photo [1].jpg", "year [1]/photo 1.jpg"]
    for names, text in [([""], b""), (["-"], b"\xff\xd8\xff\xe0 and so on, an image")]:
        with pytest.raises(InputError):
            listed(*names, text=text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"a.jpg\nb c.jpg\n\xff.jpg\n", ["a.jpg", "b c.jpg", "\udcff.jpg"]),
        (b"a.jpg\r\nb c.jpg\r\n\n", ["a.jpg", "b c.jpg"]),
        (b"line\nend.jpg\0a\0", ["line\nend.jpg", "a"]),
        (b"BMW.jpg\nRIFF.png\n", ["BMW.jpg", "RIFF.png"]),
        (b"*.jpg\n?.jpg", ["*.jpg", "?.jpg"]),
    ],
)
def test_names_come_from_standard_input_and_are_no_patterns(tmp_path, monkeypatch, text, names):
    monkeypatch.chdir(tmp_path)
    Path("c.jpg").write_bytes(b"")
    assert listed("-", text=text) == names


def planted(num_images):
    """Scores whose images have scales of their own, and labels drawn by known probabilities."""
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(num_images, 6)) + generator.normal(size=(num_images, 1)) * 3
    labels = generator.random(scores.shape) < Calibration(1.5, -1.2, 0.4).probabilities(scores)
    return scores, labels.astype(np.int8)


def test_calibration_agrees_with_scikit_learn():
    scores, labels = planted(4000)
    scale = np.log(np.exp(scores).sum(axis=1, keepdims=True))
    inputs = np.stack([scores.ravel(), np.broadcast_to(scale, scores.shape).ravel()], axis=1)
    reference = LogisticRegression(C=1e8, tol=1e-8).fit(inputs, labels.ravel())
    found = fit_calibration(scores, labels)
    np.testing.assert_allclose([found.score, found.log_sum_exp], reference.coef_[0], rtol=1e-2)
    np.testing.assert_allclose(found.intercept, reference.intercept_[0], rtol=1e-2)


def test_calibration_leaves_unknown_labels_out_and_needs_both_other_kinds():
    scores, labels = planted(500)
    spoilt_scores = np.concatenate([scores, scores])
    spoilt_labels = np.concatenate([labels, np.full_like(labels, -1)])
    assert fit_calibration(spoilt_scores, spoilt_labels) == fit_calibration(scores, labels)
    # The order of the tags is never reversed.
    assert fit_calibration(-scores, labels).score == 0.0
    for label in (0, 1, -1):
        assert fit_calibration(np.zeros((5, 3)), np.full((5, 3), label)) is None


def test_only_a_few_batches_of_files_are_read_ahead(tagger, tmp_path):
    paths = iter([write_photograph(tmp_path / "photograph.jpg")] * 1000)
    annotations = tagger.annotate(paths)
    for _ in range(2 * BATCH_SIZE):
        next(annotations)
    annotations.close()
    assert len(list(paths)) >= 1000 - (2 + BATCHES_AHEAD) * BATCH_SIZE
