"""`warptag report`: of results, of trained runs, of neither."""

import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from command_line import warptag_here
from reporting_support import evaluation
from training_support import FAST, fit

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.pipeline.report import report
from warptag.reporting import write_results
from warptag.reporting.result_folder import read_results

WARP = replace(FAST, loss="warp", normalization="violators", epochs=1)


@pytest.fixture(scope="module")
def runs(striped, tmp_path_factory):
    """A folder as `warptag train` makes it, with one run."""
    folder = tmp_path_factory.mktemp("runs")
    info = Records(striped, "train").info
    context = {
        "tag_names": info.tag_names,
        "patches": "center",
        "crop_size": 16,
        "network": {"width": 0.1},
        "data_checksum": info.checksum,
    }
    fit(striped, folder / "models" / "warp", WARP, context=context)
    return folder


def test_of_results_the_page_is_made_from_the_files(tmp_path):
    write_results(evaluation(methods=("upper_bound",)), tmp_path)
    result = warptag_here("report", tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(tmp_path / "report.html")
    assert "<h1>Title of the data</h1>" in (tmp_path / "report.html").read_text()
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        report(tmp_path, records=tmp_path)


def test_a_folder_that_is_missing_or_empty_is_one_message(tmp_path):
    missing, empty = warptag_here("report", tmp_path / "none"), warptag_here("report", tmp_path)
    assert missing.returncode == 2 and str(tmp_path / "none") in missing.stderr
    assert empty.returncode == 1 and len(empty.stderr.strip().splitlines()) == 1
    assert "Traceback" not in missing.stderr + empty.stderr
    assert list(tmp_path.iterdir()) == []


def test_trained_runs_are_scored_and_shown(runs, striped, tmp_path, without_pictures, caplog):
    folder = tmp_path / "runs"
    caplog.set_level("INFO")
    shutil.copytree(runs, folder)
    written = report(folder, records=striped)
    assert caplog.text.count(str(folder / "models" / "warp")) == 1
    assert written[-1] == folder / "report.html" and all(path.exists() for path in written)
    # With three tags per image of three, every method would be right: one is given.
    table = pd.read_csv(folder / "table_k1.csv").set_index("method")
    assert list(table.index) == ["Upper bound", "CNN + WARP", "Most frequent tags"]
    assert not (folder / "table_k3.csv").exists()
    before = written[-1].read_bytes()
    assert b"warptag report DIR --records RECORDS" in before
    # The same again, now from the files.
    assert report(folder) == [written[-1]] and written[-1].read_bytes() == before
    # With the records it is scored again, and shows a run that came later.
    shutil.copytree(runs / "models" / "warp", folder / "models" / "warp-seed1")
    report(folder, records=striped)
    table = pd.read_csv(folder / "table_k1.csv").set_index("method")
    assert table.loc["CNN + WARP", "seeds"] == 2
    # Both lists are as long as they can be, each photograph with the name in its records.
    test = Records(striped, "test")
    found = json.loads((folder / "label_errors.json").read_text())
    for name, label in (("missing", 0), ("wrong", 1)):
        assert len(found[name]) == 12
        for entry in found[name]:
            assert entry["name"] == test.names[entry["row"]]
            tag = test.info.tag_names.index(entry["tag"])
            assert test.labels[entry["row"], tag] == label


def test_a_pretrained_run_has_a_row_of_its_own(runs, striped, tmp_path, without_pictures):
    shutil.copytree(runs / "models" / "warp", tmp_path / "models" / "warp")
    pretrained = tmp_path / "models" / "warp-seed1"
    shutil.copytree(runs / "models" / "warp", pretrained)
    settings = json.loads((pretrained / "settings.json").read_text())
    settings["network"] = {"backbone": "MobileNetV2", "weights": "imagenet", "dropout": 0.2}
    (pretrained / "settings.json").write_text(json.dumps(settings))
    report(tmp_path, records=striped)
    for name in ("table_k1.csv", "runs.csv"):
        methods = pd.read_csv(tmp_path / name)["method"]
        assert [method for method in methods if "WARP" in method] == [
            "CNN + WARP",
            "Pretrained + WARP",
        ]
    [note] = [line for line in read_results(tmp_path).summary["settings"] if "Pretr" in line]
    assert "MobileNetV2" in note and "ImageNet" in note and "{" not in note


def test_the_files_of_one_run_are_left_alone(runs, striped, tmp_path, without_pictures):
    shutil.copytree(runs / "models" / "warp", tmp_path / "one")
    report(tmp_path / "one", records=striped, split="train")
    history = "models/warp/history.csv"
    assert (tmp_path / "one" / "history.csv").read_bytes() == (runs / history).read_bytes()
    assert "split train" in (tmp_path / "one" / "report" / "report.html").read_text()


def test_what_does_not_fit_is_named(runs, striped, tmp_path):
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    with pytest.raises(InputError, match="data"):
        report(folder)
    with pytest.raises(InputError, match="exam"):
        report(folder, records=striped, split="exam")
    (folder / "models" / "warp" / "model.keras").unlink()
    with pytest.raises(InputError, match="warp"):
        report(folder, records=striped)
    assert sorted(path.name for path in folder.iterdir()) == ["models"]
