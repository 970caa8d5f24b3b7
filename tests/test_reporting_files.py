"""The files of a comparison: which are written, what steers them, and that they stay the same."""

import json

import numpy as np
import pandas as pd
import pytest
from reporting_support import evaluation, write_everything

from warptag.methods import METHODS
from warptag.reporting import display, write_page, write_results
from warptag.reporting.markdown import tables_markdown
from warptag.reporting.reliability import calibration_error, reliability_table
from warptag.reporting.result_folder import read_results

TABLES = {f"{name}.csv" for name in ("table_k3", "table_k5", "per_class", "claims")}
TABLES |= {"tables.md", "summary.json"}


def test_a_full_run_writes_everything_and_the_same_again(tmp_path):
    folder, again = tmp_path / "first", tmp_path / "again"
    paths = write_everything(folder)
    assert (
        {path.name for path in paths}
        == {path.name for path in folder.iterdir()}
        == TABLES
        | {
            *("recall_by_frequency.png", "precision_by_frequency.png"),
            *("features_recall_by_frequency.png", "features_precision_by_frequency.png"),
            *("training_curves.png", "reliability.png", "annotations.png"),
            *("history.csv", "reliability.csv", "published_k5.csv", "gallery.json"),
        }
    )
    for name in ("table_k3.csv", "table_k5.csv"):
        table = pd.read_csv(folder / name)
        assert table["method"].tolist() == [method.label for method in METHODS]
    write_everything(again)
    for where in (folder, again):
        write_page(where)
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    # So does what is read back.
    assert tables_markdown(read_results(folder)) == (folder / "tables.md").read_text()


def test_without_networks_there_are_tables_only(tmp_path):
    bounds = evaluation(methods=("upper_bound_random", "upper_bound"))
    paths = write_results(bounds, tmp_path, None, {0: np.zeros((20, 30, 3), np.uint8)})
    assert {path.name for path in paths} == TABLES
    assert len(pd.read_csv(tmp_path / "claims.csv")) == 0
    assert "claims" not in (tmp_path / "tables.md").read_text()


# Neither a title nor a label decides, only the name of the data set.
@pytest.mark.parametrize(("dataset", "beside"), [("nuswide", True), ("corel5k", False)])
def test_the_papers_numbers_are_beside_those_of_its_data_set_only(tmp_path, dataset, beside):
    texts = {"dataset": dataset, "title": "Photographs" if beside else "NUS-WIDE"}
    result = evaluation(methods=("warp",), ks=(3,), synthetic=False, **texts)
    write_results(result, tmp_path)
    text = (tmp_path / "tables.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| CNN + WARP |")]
    assert ["35.60" in row for row in rows] == ([True] if beside else [False, True])
    assert (display.OTHER_DATA in text) != beside and display.SYNTHETIC not in text
    assert json.loads((tmp_path / "summary.json").read_text())["dataset"] == dataset


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
