"""The main job: every row and file, reuse of finished steps, provenance, search, bad input."""

import json
import logging
import shutil
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import warptag.pipeline.reproduce as pipeline
from tfrecords_tools.errors import InputError
from warptag import provenance
from warptag.experiments import EXPERIMENTS, GRID, pretrained
from warptag.methods import LOSSES, PAPER_LOSSES
from warptag.pipeline.networks import settings_of
from warptag.pipeline.reproduce import reproduce
from warptag.pipeline.search import chosen_shared, search, search_shared
from warptag.training import TrainingDiverged

ROWS = [
    "Upper bound",
    "Visual Feature + kNN",
    "Visual Feature + SVM",
    "CNN + Softmax",
    "CNN + Ranking",
    "CNN + WARP",
]
COLUMNS = "method per_class_recall per_class_precision overall_recall overall_precision n_plus"
FILES = """table_k3.csv table_k5.csv tables.md per_class.csv runs.csv command.txt report.html
    recall_by_frequency.png training_curves.png annotations.png"""


def tiny():
    experiment = EXPERIMENTS["scenes"].quick().with_all_baselines()
    data = replace(experiment.data, settings={**experiment.data.settings, "train": 120, "test": 30})
    architecture = {**experiment.networks.architecture, "dense_units": 16}
    networks = replace(experiment.networks, architecture=architecture, shared_grid={})
    return replace(experiment, data=data, networks=networks)


@pytest.fixture(scope="module", autouse=True)
def without_processes_and_pictures():
    """Starting processes and drawing pictures take most of the time of such short runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warptag.pipeline.side_by_side._is_faster", lambda: False)
        patch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: None)
        yield


@pytest.fixture(scope="module")
def output(without_processes_and_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "scenes"
    reproduce(tiny(), folder, command="bash reproduce.sh scenes")
    return folder


def test_every_file_and_the_papers_rows_first(output):
    assert {path.name for path in output.iterdir()} >= set(FILES.split())
    assert "Synthetic data" in (output / "tables.md").read_text()
    assert (output / "models" / "warp" / "model.keras").exists()
    for k in (3, 5):
        table = pd.read_csv(output / f"table_k{k}.csv")
        assert table["method"].tolist()[:6] == ROWS
        assert table.columns.tolist()[:6] == COLUMNS.split()
        # Exactly k tags per image: precision x k / recall is the mean number of true tags.
        ratio = table["overall_precision"] * k / table["overall_recall"]
        np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)


def test_runs_have_settings_seed_checksum_versions_and_time(output):
    runs = pd.read_csv(output / "runs.csv")
    assert runs["method"].tolist() == ROWS[3:]
    info = json.loads((output / "data" / "dataset_info.json").read_text())
    assert set(runs["data_checksum"]) == {info["checksum"]}
    columns = {"learning_rate", "normalization", "seed", "keras", "device", "commit", "code"}
    assert columns <= set(runs.columns)
    assert (runs["seconds"] > 0).all()


def test_a_second_run_reuses_everything_though_the_text_of_the_code_changed(
    output, monkeypatch, caplog
):
    monkeypatch.setattr(provenance, "code_checksum", lambda: "another")
    monkeypatch.setattr(provenance, "commit", lambda: "another")
    models = {path: path.stat().st_mtime_ns for path in output.rglob("model.keras")}
    before = {path: path.read_bytes() for path in output.iterdir() if path.is_file()}
    with caplog.at_level(logging.INFO):
        reproduce(tiny(), output, command="bash reproduce.sh scenes")
    assert "images to fit" not in caplog.text
    assert {path: path.stat().st_mtime_ns for path in output.rglob("model.keras")} == models
    assert {path: path.read_bytes() for path in output.iterdir() if path.is_file()} == before


def test_what_is_damaged_or_changed_is_made_again_and_nothing_else(
    output, tmp_path, monkeypatch, caplog
):
    folder = shutil.copytree(output, tmp_path / "scenes")
    shard = next((folder / "data").glob("train-*.tfrecord"))
    scores = folder / "models" / "ranking" / "test_scores.npy"
    kept = [path for path in (folder / "baselines").iterdir() if path.is_file()]
    assert len(kept) == 5  # kNN, SVM, JEC, TagProp, 2PKNN
    whole = {path: path.read_bytes() for path in (shard, scores)}
    for path in (shard, scores, *kept):
        path.write_bytes(path.read_bytes()[:100])
    shutil.rmtree(folder / "models" / "softmax")
    before = {loss: trained_at(output, loss) for loss in PAPER_LOSSES}
    runs = pd.read_csv(folder / "runs.csv").set_index("method")
    # A search that chooses another rate for WARP.
    chosen = {loss: (0.001, "pairs") if loss == "warp" else (0.01, "none") for loss in PAPER_LOSSES}
    chosen["ranking"] = (0.01, "violators")
    rows = [
        {"loss": name, "learning_rate": a, "normalization": b} for name, (a, b) in chosen.items()
    ]
    table = pd.DataFrame(rows).assign(chosen=True, score=0.5)
    monkeypatch.setattr(pipeline, "search", lambda networks, directory: table)
    with caplog.at_level(logging.INFO):
        reproduce(tiny(), folder, search_again=True)
    assert {path: path.read_bytes() for path in whole} == whole
    assert caplog.text.count("images to fit") == 5
    assert shard.name in caplog.text
    assert [trained_at(folder, loss) == before[loss] for loss in PAPER_LOSSES] == [
        False,
        True,
        False,
    ]
    assert len(pd.read_csv(folder / "search.csv")) == 3
    again = pd.read_csv(folder / "runs.csv").set_index("method")
    assert again.loc["CNN + WARP", "learning_rate"] == 0.001
    # A run that was trained again with the same numbers keeps its row.
    pd.testing.assert_frame_equal(again.drop("CNN + WARP"), runs.drop("CNN + WARP"))


def trained_at(folder, loss):
    return (folder / "models" / loss / "run.json").stat().st_mtime_ns


class FakeNetworks:
    """Trains nothing: a larger rate has a better per-class recall, until it diverges."""

    networks = tiny().networks

    def tasks(self, runs, scored):
        return []

    def train(self, name, settings, directory):
        if settings.learning_rate > 0.02:
            raise TrainingDiverged("the loss is NaN")
        assert settings.epochs == self.networks.search_epochs and settings.seed == 0
        metrics = {"val_per_class_recall": settings.learning_rate, "val_overall_recall": 0.5}
        return None, pd.DataFrame([{name: 0.0 for name in metrics}, metrics])


def test_the_search_chooses_the_best_recall_of_each_loss(tmp_path):
    table = search(FakeNetworks(), tmp_path)
    assert len(table) == sum(map(len, GRID.values()))
    chosen = table[table["chosen"]].set_index("loss")
    assert chosen["learning_rate"].to_dict() == dict.fromkeys(PAPER_LOSSES, 0.02)
    assert chosen["score"].tolist() == [0.26] * 3
    assert (table.loc[table["learning_rate"] > 0.02, "score"] == 0).all()


class FakeShared(FakeNetworks):
    """A higher dropout and a larger batch are better, and softmax diverges in large batches."""

    trained: ClassVar[list[tuple]] = []

    def __init__(self, networks):
        self.networks = networks

    def train(self, name, settings, directory):
        dropout = self.networks.architecture["dropout"]
        self.trained.append((directory, settings.loss, dropout, settings.batch_size))
        if settings.loss == "softmax" and settings.batch_size == 64:
            raise TrainingDiverged("the loss is NaN")
        recall = (dropout + settings.batch_size / 200) / 2
        metrics = {"val_per_class_recall": recall, "val_overall_recall": recall}
        return None, pd.DataFrame([metrics])


def test_shared_settings_are_tried_one_at_a_time_with_every_loss(tmp_path):
    declared = replace(
        tiny().networks,
        architecture={"dropout": 0.3},
        shared_grid={"dropout": (0.0, 0.3, 0.6), "batch_size": (32, 64)},
    )
    table = search_shared(FakeShared, declared, tmp_path)
    assert len(table) == 5 and len({folder for folder, *_ in FakeShared.trained}) == 15
    # With batches of 64, the mean over the losses contains a 0.
    assert chosen_shared(table, declared) == {"dropout": 0.6, "batch_size": 32}
    changed = declared.with_shared({"dropout": 0.6, "batch_size": 32})
    assert changed.architecture == {"dropout": 0.6} and changed.training["batch_size"] == 32


def test_every_loss_has_the_same_budget_and_the_papers_rate_in_the_grid():
    assert len({len(candidates) for candidates in GRID.values()}) == 1
    for candidates in GRID.values():
        assert 0.002 in [candidate["learning_rate"] for candidate in candidates]
    assert len({len(candidates) for candidates in pretrained.GRID.values()}) == 1
    assert pretrained.GRID.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_valid_in_full_and_quick(name):
    for experiment in (EXPERIMENTS[name], EXPERIMENTS[name].quick()):
        for loss in PAPER_LOSSES if experiment.networks else ():
            settings = settings_of(experiment.networks, loss)
            assert settings.loss == loss
    assert experiment.seeds == 1 and "--quick" in experiment.title


def test_changed_code_has_another_checksum(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("x = 1\n")
    before = provenance.code_checksum(tmp_path)
    assert provenance.code_checksum(tmp_path) == before
    module.write_text("x = 2\n")
    assert provenance.code_checksum(tmp_path) != before


def test_a_k_above_the_number_of_tags_is_refused(output, tmp_path):
    shutil.copytree(output / "data", tmp_path / "data")
    with pytest.raises(InputError, match="k = 82"):
        reproduce(replace(tiny(), ks=(82,)), tmp_path)


def test_an_experiment_on_photographs_needs_their_folder(tmp_path):
    with pytest.raises(InputError, match="corel5k"):
        reproduce(EXPERIMENTS["corel5k"], tmp_path)


def test_the_records_of_another_experiment_are_not_replaced(output, tmp_path):
    shutil.copytree(output / "data", tmp_path / "data")
    info = tmp_path / "data" / "dataset_info.json"
    info.write_text(info.read_text().replace('"name": "scenes"', '"name": "mine"'))
    with pytest.raises(InputError, match="records of mine"):
        reproduce(tiny(), tmp_path)
    assert list((tmp_path / "data").glob("train-*.tfrecord"))
