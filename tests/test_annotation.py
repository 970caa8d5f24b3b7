"""Tags for photographs: the same scores as in evaluation, bounded memory, calibration."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from annotation_support import TAG_NAMES, make_run, write_photograph

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from warptag.annotation import Tagger
from warptag.annotation.photographs import find_photographs
from warptag.annotation.tagger import BATCH_SIZE, BATCHES_AHEAD
from warptag.data import Records
from warptag.training import Calibration, fit_calibration, load_calibration, predict
from warptag.training.run_folder import load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("annotation") / "run")


@pytest.mark.parametrize(("size", "shorter_side"), [(24, False), (24, True), (None, False)])
def test_a_photograph_gets_the_scores_that_evaluation_gives_its_record(
    tmp_path, size, shorter_side
):
    run = make_run(tmp_path / "run", size, shorter_side)
    names = [f"{number}.{kind}" for number, kind in enumerate(["jpg", "png", "jpg", "webp"])]
    paths = [
        write_photograph(tmp_path / "photos" / name, seed, (40 + 20 * seed, 30))
        for seed, name in enumerate(names)
    ]
    images = [LabelledImage(name, (0,)) for name in names]
    source = ImageFiles(tmp_path / "photos", TAG_NAMES, {"test": images}, size, shorter_side)
    data = tmp_path / "records"
    convert(source, data, name="photos", settings=source.settings, workers=1)
    records = Records(data, "test")
    model, _ = load_run(run)
    expected = predict(model, records)
    found = [annotation.scores for annotation in Tagger(run).annotate(paths)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 0.01


def test_files_that_are_no_images_are_reported_in_their_place(run, tmp_path):
    good = write_photograph(tmp_path / "good.jpg")
    empty, text, folder = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "folder.jpg"
    empty.write_bytes(b"")
    text.write_text("not an image")
    folder.mkdir()
    truncated = tmp_path / "truncated.jpg"
    truncated.write_bytes(good.read_bytes()[:-200])
    paths = [empty, good, text, truncated, folder, tmp_path / "missing.jpg"]
    annotations = list(Tagger(run).annotate(paths))
    assert [annotation.path for annotation in annotations] == paths
    assert [annotation.error is None for annotation in annotations] == [False, True, *[False] * 4]
    for annotation, reason in zip(
        annotations,
        (
            "it is empty",
            None,
            "not an image in a known format",
            "Premature end",
            "holds no image",
            "No such",
        ),
        strict=True,
    ):
        if reason is not None:
            assert str(annotation.path) in str(annotation.error)
            assert reason in str(annotation.error)


def test_a_decompression_bomb_is_refused(run, tmp_path):
    # 20,000 x 20,000 pixels that take a few kilobytes.
    from PIL import Image

    bomb = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(bomb)
    [annotation] = Tagger(run).annotate([bomb])
    assert "decompression bomb" in str(annotation.error)


def test_only_a_few_batches_of_files_are_read_ahead(run, tmp_path):
    photograph = write_photograph(tmp_path / "photograph.jpg")
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield photograph

    annotations = Tagger(run).annotate(endless())
    for _ in range(3 * BATCH_SIZE):
        next(annotations)
    annotations.close()
    assert taken <= (3 + BATCHES_AHEAD) * BATCH_SIZE


def test_a_run_of_an_earlier_version_and_a_damaged_calibration_are_named(tmp_path):
    run = make_run(tmp_path / "run")
    for score in ('"high"', "NaN"):
        numbers = f'{{"score": {score}, "log_sum_exp": 0, "intercept": 0}}'
        (run / "calibration.json").write_text(numbers)
        with pytest.raises(InputError, match="calibration.json cannot be read"):
            Tagger(run)
    whole = json.loads((run / "settings.json").read_text())
    wrong = [{"image": None}, {"image": {"size": 0, "shorter_side": False}}, {"patches": "nine"}]
    for change in wrong:
        (run / "settings.json").write_text(json.dumps({**whole, **change}))
        with pytest.raises(InputError, match="earlier version"):
            Tagger(run)
    for text in ("5", "[]", '{"tag_names": 3}', "[" * 100_000):
        (run / "settings.json").write_text(text)
        with pytest.raises(InputError, match="not the folder of a trained run"):
            Tagger(run)


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
    # A file of this name is meant, not a pattern; what is not there is reported when it is read.
    assert listed("[odd] name.jpg", "no*.jpg") == ["[odd] name.jpg", "no*.jpg"]
    # A folder without images is named itself, and reported when it is read.
    Path("empty").mkdir()
    assert listed("empty", "b/1.png") == ["empty", "b/1.png"]
    with pytest.raises(InputError, match="a name is empty"):
        listed("")


@pytest.mark.parametrize(
    "text",
    [
        b"a.jpg\nb c.jpg\n\xff.jpg\n",
        b"a.jpg\r\nb c.jpg\r\n\n\xff.jpg",
        b"a.jpg\0b c.jpg\0\xff.jpg\0",
    ],
)
def test_names_come_from_standard_input(text):
    assert listed("-", text=text) == ["a.jpg", "b c.jpg", "\udcff.jpg"]


def test_zero_bytes_let_names_hold_line_ends():
    assert listed("-", text=b"a\0line\nend.jpg\0") == ["a", "line\nend.jpg"]


def test_names_that_begin_as_some_images_do_are_names():
    assert listed("-", text=b"BMW.jpg\nRIFF.png\n") == ["BMW.jpg", "RIFF.png"]


def test_a_first_name_may_hold_a_line_end():
    assert listed("-", text=b"line\nend.jpg\0b.jpg\0") == ["line\nend.jpg", "b.jpg"]


def test_an_image_on_standard_input_is_refused():
    with pytest.raises(InputError, match="expected the names of files"):
        listed("-", text=b"\xff\xd8\xff\xe0 and so on")


def planted(num_images=4000, seed=0):
    """Scores whose images have scales of their own, and labels drawn by known probabilities."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(num_images, 6)) + generator.normal(size=(num_images, 1)) * 3
    truth = Calibration(1.5, -1.2, 0.4)
    labels = generator.random(scores.shape) < truth.probabilities(scores)
    return scores, labels.astype(np.int8), truth


def test_calibration_finds_planted_probabilities():
    scores, labels, truth = planted()
    found = fit_calibration(scores, labels)
    assert (found.score, found.log_sum_exp, found.intercept) == pytest.approx(
        (truth.score, truth.log_sum_exp, truth.intercept), abs=0.1
    )
    difference = found.probabilities(scores) - truth.probabilities(scores)
    assert np.abs(difference).max() < 0.03


def test_calibration_agrees_with_scikit_learns_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    scores, labels, _ = planted(800)
    scale = np.log(np.exp(scores).sum(axis=1, keepdims=True))
    inputs = np.stack([scores.ravel(), np.broadcast_to(scale, scores.shape).ravel()], axis=1)
    reference = LogisticRegression(C=1e8, tol=1e-8).fit(inputs, labels.ravel())
    found = fit_calibration(scores, labels)
    np.testing.assert_allclose([found.score, found.log_sum_exp], reference.coef_[0], rtol=1e-2)
    np.testing.assert_allclose(found.intercept, reference.intercept_[0], rtol=1e-2)


def test_unknown_labels_take_no_part_in_calibration():
    scores, labels, _ = planted(500)
    spoilt_scores = np.concatenate([scores, scores])
    spoilt_labels = np.concatenate([labels, np.full_like(labels, -1)])
    assert fit_calibration(spoilt_scores, spoilt_labels) == fit_calibration(scores, labels)


def test_calibration_never_turns_the_order_of_tags_around():
    scores, labels, _ = planted(500)
    assert fit_calibration(-scores, labels).score == 0.0


@pytest.mark.parametrize("label", [0, 1, -1])
def test_there_is_no_calibration_without_both_kinds_of_labels(label):
    assert fit_calibration(np.zeros((5, 3)), np.full((5, 3), label)) is None
    assert fit_calibration(np.zeros((0, 3)), np.zeros((0, 3))) is None


def test_calibration_is_saved_and_loaded(tmp_path):
    calibration = Calibration(1.25, -0.5, 0.125)
    calibration.save(tmp_path)
    assert load_calibration(tmp_path) == calibration
    assert load_calibration(tmp_path / "none") is None
