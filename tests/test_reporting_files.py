"""The files of a comparison: which are written, what steers them, and that they stay the same."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from reporting_support import evaluation, write_everything

from warptag.methods import METHOD, METHODS
from warptag.reporting import display, write_page, write_results
from warptag.reporting.annotations import annotation_sheet
from warptag.reporting.charts import frequency_charts, image_bytes
from warptag.reporting.evaluation import METRICS
from warptag.reporting.gallery import gallery
from warptag.reporting.markdown import tables_markdown
from warptag.reporting.reliability import calibration_error, reliability_table
from warptag.reporting.result_folder import read_results
from warptag.reporting.tables import per_class_table
from warptag.reporting.training_curves import training_chart

TABLES = {f"{name}.csv" for name in ("table_k3", "table_k5", "per_class", "claims")}
TABLES |= {"tables.md", "summary.json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    paths = write_everything(folder)
    assert {path.name for path in paths} == {path.name for path in folder.iterdir()}
    write_page(folder)
    return folder


def test_a_full_run_writes_everything(folder):
    assert {path.name for path in folder.iterdir()} == TABLES | {
        *("recall_by_frequency.png", "precision_by_frequency.png"),
        *("features_recall_by_frequency.png", "features_precision_by_frequency.png"),
        *("training_curves.png", "reliability.png", "annotations.png", "report.html"),
        *("history.csv", "reliability.csv", "published_k5.csv", "gallery.json"),
    }
    for name in ("table_k3.csv", "table_k5.csv"):
        table = pd.read_csv(folder / name)
        assert table["method"].tolist() == [method.label for method in METHODS]


def test_the_same_data_gives_the_same_bytes(folder, tmp_path):
    write_everything(tmp_path)
    write_page(tmp_path)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    # So does what is read back.
    assert tables_markdown(read_results(folder)) == (folder / "tables.md").read_text()


def test_no_title_label_or_sentence_steers_anything(
    folder, tmp_path, monkeypatch, without_pictures
):
    """Reworded to what could mislead: the files differ in these words and in nothing else."""
    words = {
        "Title of the data": "NUS-WIDE",
        METHOD["warp"].label: "Visual Feature + a ranking",
        METHOD["knn"].label: "CNN + neighbors",
        display.SYNTHETIC: "Photographs.",
        display.OUTCOMES["holds"]: "reversed",
        display.VERDICTS["undecided"]: "confirmed",
        METRICS["n_plus"]: "recall",
    }
    for method in ("warp", "knn"):
        monkeypatch.setitem(vars(METHOD[method]), "label", words[METHOD[method].label])
    monkeypatch.setattr(display, "SYNTHETIC", "Photographs.")
    monkeypatch.setitem(display.OUTCOMES, "holds", "reversed")
    monkeypatch.setitem(display.VERDICTS, "undecided", "confirmed")
    monkeypatch.setitem(METRICS, "n_plus", "recall")
    write_everything(tmp_path, title="NUS-WIDE")
    write_page(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in folder.iterdir()}
    for path in tmp_path.iterdir():
        if path.suffix != ".png":
            texts = [(where / path.name).read_text() for where in (folder, tmp_path)]
            # A chart has the words in its drawing.
            before, after = (re.sub('src="data:image/svg[^"]*"', "", text) for text in texts)
            for old, new in words.items():
                before, after = before.replace(old, new), after.replace(old, new)
            assert after == before, path.name


def test_without_networks_there_are_tables_only(tmp_path):
    bounds = evaluation(methods=("upper_bound_random", "upper_bound"))
    paths = write_results(bounds, tmp_path, None, {0: np.zeros((20, 30, 3), np.uint8)})
    assert {path.name for path in paths} == TABLES
    assert len(pd.read_csv(tmp_path / "claims.csv")) == 0
    assert "claims" not in (tmp_path / "tables.md").read_text()


@pytest.mark.parametrize(("dataset", "beside"), [("nuswide", True), ("corel5k", False)])
def test_the_papers_numbers_are_beside_those_of_its_data_set_only(tmp_path, dataset, beside):
    result = evaluation(methods=("warp",), ks=(3,), synthetic=False, dataset=dataset)
    write_results(result, tmp_path)
    text = (tmp_path / "tables.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| CNN + WARP |")]
    assert ["35.60" in row for row in rows] == ([True] if beside else [False, True])
    assert (display.OTHER_DATA in text) != beside and display.SYNTHETIC not in text
    assert json.loads((tmp_path / "summary.json").read_text())["dataset"] == dataset


@pytest.mark.parametrize(("num_tags", "num_bars"), [(8, 8), (120, 25)])
def test_frequency_charts_show_means_and_a_band_of_seeds(num_tags, num_bars):
    table = per_class_table(evaluation(num_tags, methods=("warp", "upper_bound")))
    chart, _ = frequency_charts(table, 3, "scenes")
    axes, bars = chart.figure.axes
    assert len(axes.lines) == 1 and len(bars.patches) == num_bars
    shown = table[table["test_count"] > 0]
    frequent = shown["CNN + WARP recall"].iloc[: num_tags // 2].mean()
    assert f"{METHOD['warp'].label}: {frequent:.1f}% and" in chart.description
    first = shown.iloc[: -(-num_tags // num_bars)]
    means = {first[f"CNN + WARP recall, seed {seed}"].mean() for seed in (0, 1)}
    (band,) = axes.collections
    assert {y for x, y in band.get_paths()[0].vertices if x == 0} == means


def test_training_curves_grow_with_the_metrics_that_are_present():
    short = pd.DataFrame({"method": "CNN + WARP", "seed": 0, "epoch": [1, 2], "loss": [2.0, 1.0]})
    tall = short.assign(val_loss=2.0, val_n_plus=[0.1, np.nan])
    heights = [training_chart(frame, "").figure.get_figheight() for frame in (short, tall)]
    assert heights[1] > heights[0]
    assert training_chart(short.assign(method="someone else's"), "") is None


def test_reliability_by_hand():
    labels = np.array([[1, 0, 0, 0, -1, 1]])
    values = np.array([[0.25, 0.25, 0.25, 0.25, 0.25, 1.0]])
    table = reliability_table({"warp": values}, labels)
    assert table[["probability", "share", "pairs"]].to_numpy().tolist() == [
        [0.25, 0.25, 4],
        [1, 1, 1],
    ]
    assert calibration_error(table) == 0
    assert calibration_error(table.assign(share=0.5)) == (4 * 0.25 + 1 * 0.5) / 5


def test_the_annotation_sheet_has_room_for_more_images_and_long_names():
    labels = np.array(evaluation().test_labels)
    labels[0] = -1  # nothing of image 0 is known, so it has no tags to show
    result = evaluation(test_labels=labels, tag_names=["a tag with many words " * 5] * 8)
    heights = []
    for number in (1, 4, 20):
        images = dict.fromkeys(range(number), np.zeros((20, 30, 3), np.uint8))
        sheet = annotation_sheet(images, gallery(images, result), "scenes")
        assert image_bytes(sheet, "png")
        heights.append(sheet.get_figheight())
    assert heights == sorted(set(heights))
