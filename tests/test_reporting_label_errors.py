"""The photographs to look at first: likely errors in the labels, in their file and on the page."""

import json

import numpy as np
import pytest

from warptag.reporting import Evaluation, write_page, write_results
from warptag.reporting.label_errors import NUM_PHOTOGRAPHS, label_errors

IMAGES, TAGS = 30, 6
LABELS = (np.random.default_rng(0).random((IMAGES, TAGS)) < 0.4).astype(int)
#: Scores of a network that is right about every label, surer of some than of others.
RIGHT = np.where(LABELS == 1, 3.0, -3.0) + np.random.default_rng(1).random(LABELS.shape)
NAMES = [f"holiday/{row}.jpg" for row in range(IMAGES)]


def find(scores, labels=LABELS, probabilities=(), names=NAMES, reads=None):
    """The label errors; the rows whose images are read are appended to `reads`."""

    def read_images(rows):
        if reads is not None:
            reads.append(rows)
        return [np.full((8, 12, 3), row, np.uint8) for row in rows]

    if not isinstance(scores, dict):
        scores = {"warp": [scores]}
    num_images, num_tags = labels.shape
    names_of_tags = [f"tag {number}" for number in range(num_tags)]
    k = min(3, num_tags)
    result = Evaluation(names_of_tags, labels, np.ones(num_tags), scores, (k,), title="Holiday")
    return label_errors(result, dict(probabilities), names[:num_images], read_images), result


def test_planted_label_errors_come_first():
    labels = LABELS.copy()
    (missing, wrong), tags = (7, 19), {}
    tags[missing] = int(np.flatnonzero(LABELS[missing] == 1)[0])
    tags[wrong] = int(np.flatnonzero(LABELS[wrong] == 0)[0])
    labels[missing, tags[missing]], labels[wrong, tags[wrong]] = 0, 1
    reads = []
    found, _ = find(RIGHT, labels, reads=reads)
    for name, row in (("missing", missing), ("wrong", wrong)):
        entries = found[name]
        assert (entries[0]["row"], entries[0]["tag"]) == (row, f"tag {tags[row]}")
        assert entries[0]["name"] == NAMES[row]
        assert entries[0]["value"] == pytest.approx(RIGHT[row, tags[row]], abs=1e-4)
        assert (f"tag {tags[row]}" in entries[0]["true"]) == (name == "wrong")
        # One entry per photograph, in order.
        assert len({entry["row"] for entry in entries}) == len(entries) == NUM_PHOTOGRAPHS
        values = [entry["value"] for entry in entries]
        assert values == sorted(values, reverse=name == "missing")
    # Of the other photographs, no image is read.
    [rows] = reads
    listed = {entry["row"] for name in ("missing", "wrong") for entry in found[name]}
    assert rows == sorted(listed) and len(rows) < IMAGES


def test_unknown_labels_are_never_listed():
    labels, scores = LABELS.copy(), RIGHT.copy()
    labels[:, 2] = -1
    scores[::2, 2], scores[1::2, 2] = 100, -100
    found, _ = find(scores, labels)
    for entry in found["missing"] + found["wrong"]:
        assert "tag 2" not in (entry["tag"], *entry["true"], *dict(entry["given"]))


def test_the_first_run_of_the_network_with_the_best_mean_recall_decides():
    runs = {"softmax": [RIGHT, -RIGHT], "pretrained_warp": [RIGHT + 1, RIGHT], "warp": [-RIGHT]}
    probabilities = {"softmax": np.full(LABELS.shape, 0.5)}
    found, _ = find(runs, probabilities=probabilities)
    assert (found["method"], found["calibrated"]) == ("Pretrained + WARP", False)
    highest = np.where(LABELS == 0, RIGHT + 1, -np.inf).max()
    assert found["missing"][0]["value"] == pytest.approx(highest, abs=1e-4)
    # Its probabilities may rank the photographs otherwise than its scores.
    probabilities["pretrained_warp"] = np.full(LABELS.shape, 0.25)
    probabilities["pretrained_warp"][11, np.flatnonzero(LABELS[11] == 0)] = 0.75
    found, _ = find(runs, probabilities=probabilities)
    first = found["missing"][0]
    assert found["calibrated"] and (first["row"], first["value"]) == (11, 0.75)


@pytest.mark.parametrize(
    ("labels", "missing", "wrong"),
    [
        (np.ones((IMAGES, TAGS), int), 0, 12),
        (np.zeros((IMAGES, TAGS), int), 12, 0),
        (np.full((IMAGES, TAGS), -1), 0, 0),
        (np.array([[1], [0], [-1], [1]]), 1, 2),
        (np.eye(5, dtype=int), 5, 5),
    ],
    ids=["no wrong tag", "no true tag", "unknown", "one tag", "five photographs"],
)
@pytest.mark.usefixtures("without_pictures")
def test_few_photographs_or_labels_give_shorter_lists(labels, missing, wrong, tmp_path):
    scores = np.random.default_rng(2).normal(size=labels.shape)
    found, result = find(scores, labels, names=[""] * IMAGES)
    assert (len(found["missing"]), len(found["wrong"])) == (missing, wrong)
    write_results(result, tmp_path, label_errors=found)
    page = write_page(tmp_path).read_text()
    assert page.count('<li class="photograph">') == missing + wrong
    assert page.count('id="look-first"') == (missing + wrong > 0)
    # Without names and a calibration.
    assert "<dt>File</dt>" not in page and "probability " not in page


@pytest.mark.usefixtures("without_pictures")
def test_the_page_shows_names_and_probabilities_and_is_as_before_without_the_file(tmp_path):
    probabilities = 1 / (1 + np.exp(-RIGHT))
    found, result = find(RIGHT, probabilities={"warp": probabilities})
    write_results(result, tmp_path / "without")
    before = write_page(tmp_path / "without").read_text()
    write_results(result, tmp_path / "with", label_errors=found)
    page = write_page(tmp_path / "with").read_text()
    first = found["missing"][0]
    for text in (first["name"], f"probability {100 * first['value']:.1f}%", first["jpeg"]):
        assert text in page and text not in before
    assert json.loads((tmp_path / "with" / "label_errors.json").read_text())["method"] in page
    # Another comparison in the same folder, without them.
    write_results(result, tmp_path / "with")
    assert write_page(tmp_path / "with").read_text() == before


def test_equal_probabilities_are_ordered_by_the_scores():
    flat = np.full(LABELS.shape, 0.5)
    by_scores, _ = find(RIGHT)
    by_both, _ = find(RIGHT, probabilities={"warp": flat})
    for name in ("missing", "wrong"):
        one, other = (
            [(entry["row"], entry["tag"]) for entry in found[name]]
            for found in (by_scores, by_both)
        )
        assert one == other
