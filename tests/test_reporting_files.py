"""The files of a comparison: which are written, that they are whole and the same each time."""

import cv2
import numpy as np
import pandas as pd
import pytest

from warptag.reporting import (
    CNN_METHODS,
    METHODS,
    Evaluation,
    annotation_sheet,
    plot_by_frequency,
    plot_training_curves,
    write_results,
)


def evaluation(num_tags=8, methods=METHODS, seeds=2, num_images=30, **changes):
    random = np.random.default_rng(0)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    labels[0, :2] = 1
    scores = {}
    for method in methods:
        number = seeds if method in CNN_METHODS else 1
        noise = random.normal(size=(number, num_images, num_tags))
        scores[method] = list(labels + noise)
    arguments = {
        # A dollar sign and an underscore must not be read as mathematics.
        "tag_names": ["$_1$", *(f"tag {number}" for number in range(1, num_tags))],
        "test_labels": labels,
        "train_counts": random.integers(0, 200, num_tags),
        "scores": scores,
        "ks": (3, 5),
        "synthetic": True,
        "title": "scenes",
    }
    return Evaluation(**(arguments | changes))


def histories(seeds=2):
    frame = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [3.0, 2.0, 1.5],
            "val_loss": [3.1, 2.2, 1.9],
            "val_per_class_recall": [0.1, 0.2, 0.25],
        }
    )
    return {method: [frame * (1 + seed / 10) for seed in range(seeds)] for method in CNN_METHODS}


def image(height=20, width=30):
    return np.full((height, width, 3), 128, np.uint8)


def size(path):
    height, width, _ = cv2.imread(str(path)).shape
    return height, width


TABLES = {
    "table_k3.csv",
    "table_k5.csv",
    "tables.md",
    "per_class.csv",
    "claims.csv",
    "summary.json",
}
PLOTS = {
    f"{which}{figure}_by_frequency.png"
    for which in ("", "features_")
    for figure in ("recall", "precision")
}


def test_a_full_run_writes_everything_and_the_same_bytes_again(tmp_path):
    arguments = (histories(), {0: image(), 3: image(30, 20)}, ["no flips"])
    first = write_results(evaluation(), tmp_path / "first", *arguments)
    second = write_results(evaluation(), tmp_path / "second", *arguments)
    expected = (
        TABLES
        | PLOTS
        | {"training_curves.png", "history.csv"}
        | {"annotations.png", "gallery.json"}
    )
    assert {path.name for path in first} == expected
    assert {path.name for path in (tmp_path / "first").iterdir()} == expected
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_run_without_networks_has_tables_only(tmp_path):
    upper_bounds = evaluation(methods=("Upper bound (random)", "Upper bound"))
    paths = write_results(upper_bounds, tmp_path, None, {0: image()})
    assert {path.name for path in paths} == TABLES
    rows = (tmp_path / "table_k3.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["method", "Upper bound", "Upper bound (random)"]


def test_all_methods_stand_in_the_order_of_the_paper(tmp_path):
    write_results(evaluation(methods=METHODS[::-1]), tmp_path)
    rows = (tmp_path / "table_k5.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [
        "Upper bound",
        "Visual Feature + kNN",
        "Visual Feature + SVM",
        "CNN + Softmax",
        "CNN + Ranking",
        "CNN + WARP",
        "Visual Feature + JEC",
        "Visual Feature + TagProp",
        "Visual Feature + 2PKNN",
        "Upper bound (random)",
        "Most frequent tags",
    ]


@pytest.mark.parametrize("num_tags", [8, 120])
def test_frequency_plots_with_few_and_with_many_tags(tmp_path, num_tags):
    result = evaluation(num_tags, methods=("CNN + WARP",), seeds=1)
    recall = plot_by_frequency(result, "recall", tmp_path / "recall.png")
    precision = plot_by_frequency(result, "precision", tmp_path / "precision.png")
    assert size(recall) == size(precision) == (900, 1800)
    assert recall.read_bytes() != precision.read_bytes()


def test_frequency_plot_needs_a_method(tmp_path):
    with pytest.raises(ValueError, match="scores of a method"):
        plot_by_frequency(evaluation(methods=("Upper bound",)), "recall", tmp_path / "plot.png")
    assert list(tmp_path.iterdir()) == []


def test_training_curves_grow_with_the_figures_that_are_present(tmp_path):
    only_loss = {"CNN + WARP": [pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]})]}
    short = plot_training_curves(only_loss, tmp_path / "short.png")
    tall = plot_training_curves(histories(), tmp_path / "tall.png", "Training on scenes")
    assert size(tall)[0] > size(short)[0]


def test_training_curves_name_what_is_missing(tmp_path):
    bad = {"CNN + WARP": [pd.DataFrame({"step": [1], "loss": [1.0]})]}
    with pytest.raises(ValueError, match=r"CNN \+ WARP, seed 0.*epoch and loss, got step, loss"):
        plot_training_curves(bad, tmp_path / "curves.png")
    with pytest.raises(ValueError, match="no training history"):
        plot_training_curves({"CNN + WARP": []}, tmp_path / "curves.png")
    with pytest.raises(ValueError, match="unknown method 'warp'"):
        plot_training_curves({"warp": histories()["CNN + WARP"]}, tmp_path / "curves.png")


def test_annotation_sheet_has_room_for_more_tags_and_more_columns(tmp_path):
    images = {row: image() for row in range(4)}
    narrow = annotation_sheet(images, evaluation(), tmp_path / "a.png", k=3, columns=2)
    deep = annotation_sheet(images, evaluation(), tmp_path / "b.png", k=5, columns=2)
    wide = annotation_sheet(images, evaluation(), tmp_path / "c.png", k=3, columns=4)
    assert size(deep)[0] > size(narrow)[0] and size(deep)[1] == size(narrow)[1]
    assert size(wide)[0] < size(narrow)[0] and size(wide)[1] > size(narrow)[1]


def test_annotation_sheet_with_unknown_labels_and_baselines(tmp_path):
    result = evaluation()
    labels = result.test_labels.copy()
    labels[0] = -1  # nothing of image 0 is known, so it has no tags to show
    result = evaluation(test_labels=labels)
    methods = ["Upper bound", "Visual Feature + SVM"]
    path = annotation_sheet({0: image()}, result, tmp_path / "sheet.png", methods=methods)
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        ({}, {}, "need an image"),
        ({99: image()}, {}, "image 99 is not a row of the 30 test images"),
        ({0: image().astype(float)}, {}, r"uint8 \(height, width, 3\), got float64"),
        ({0: image()[..., 0]}, {}, r"got uint8 \(20, 30\)"),
        ({0: image()}, {"methods": ["CNN + Hinge"]}, r"CNN \+ Hinge: no scores"),
        ({0: image()}, {"columns": 0}, "a column"),
        ({0: image()}, {"k": 9}, "got 9"),
    ],
)
def test_annotation_sheet_names_bad_input(tmp_path, images, arguments, message):
    with pytest.raises(ValueError, match=message):
        annotation_sheet(images, evaluation(), tmp_path / "sheet.png", **arguments)
