"""The main job: every row and file, reuse of what stands, provenance, search, bad input."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tfrecords_tools.errors import InputError
from warptag import provenance
from warptag.experiments import EXPERIMENTS, load_experiment
from warptag.experiments.experiment import GRID
from warptag.experiments.quick import quick
from warptag.experiments.reproduce import reproduce
from warptag.experiments.search import chosen_settings

ROWS = [
    "Upper bound",
    "Visual Feature + kNN",
    "Visual Feature + SVM",
    "CNN + Softmax",
    "CNN + Ranking",
    "CNN + WARP",
]


def tiny():
    experiment = quick(load_experiment("scenes"))
    settings = {**experiment.source_settings, "train": 120, "test": 30}
    network = {**experiment.network, "dense_units": 16}
    return replace(experiment, source_settings=settings, network=network)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "scenes"
    reproduce(tiny(), folder, command="bash reproduce.sh scenes")
    return folder


def test_both_tables_have_the_papers_rows_first_and_the_columns_users_rely_on(output):
    for k in (3, 5):
        table = pd.read_csv(output / f"table_k{k}.csv")
        assert table["method"].tolist()[:6] == ROWS
        assert table.columns.tolist()[:6] == [
            "method",
            "per_class_recall",
            "per_class_precision",
            "overall_recall",
            "overall_precision",
            "n_plus",
        ]
        # Exactly k tags an image: precision x k / recall is the mean number of true tags.
        ratio = table["overall_precision"] * k / table["overall_recall"]
        np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)


def test_every_file_of_the_results_is_there(output):
    names = {path.name for path in output.iterdir()}
    assert names >= {
        "tables.md",
        "per_class.csv",
        "runs.csv",
        "command.txt",
        "recall_by_frequency.png",
        "training_curves.png",
        "annotations.png",
    }
    assert "Synthetic data" in (output / "tables.md").read_text()
    assert (output / "models" / "warp" / "model.keras").exists()


def test_runs_carry_settings_seed_checksum_versions_and_time(output):
    runs = pd.read_csv(output / "runs.csv")
    assert runs["method"].tolist() == ROWS[3:]
    info = json.loads((output / "data" / "dataset_info.json").read_text())
    assert set(runs["data_checksum"]) == {info["checksum"]}
    for column in ("learning_rate", "normalization", "seed", "keras", "device", "commit", "code"):
        assert column in runs.columns
    assert (runs["seconds"] > 0).all()


def test_a_second_run_reuses_everything_though_the_text_of_the_code_changed(output, monkeypatch):
    monkeypatch.setattr(provenance, "code_checksum", lambda: "another")
    monkeypatch.setattr(provenance, "commit", lambda: "another")
    models = {path: path.stat().st_mtime_ns for path in output.rglob("model.keras")}
    before = {p: p.read_bytes() for p in output.iterdir() if p.is_file()}
    lines = []
    reproduce(tiny(), output, command="bash reproduce.sh scenes", say=lines.append)
    assert not [line for line in lines if "images to fit" in line]
    assert {path: path.stat().st_mtime_ns for path in output.rglob("model.keras")} == models
    assert {p: p.read_bytes() for p in output.iterdir() if p.is_file()} == before


@pytest.mark.usefixtures("without_pictures")
def test_a_changed_choice_is_trained_again_and_the_rest_is_not(output, tmp_path):
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    before = {loss: _trained_at(folder, loss) for loss in ("softmax", "warp")}
    experiment = tiny()
    experiment = replace(experiment, chosen={**experiment.chosen, "warp": (0.001, "pairs")})
    reproduce(experiment, folder)
    assert _trained_at(folder, "softmax") == before["softmax"]
    assert _trained_at(folder, "warp") != before["warp"]
    assert pd.read_csv(folder / "runs.csv")["learning_rate"].tolist()[2] == 0.001


@pytest.mark.usefixtures("without_pictures")
def test_a_damaged_shard_is_found_and_the_records_are_made_again(output, tmp_path):
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    shard = next((folder / "data").glob("train-*.tfrecord"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
    lines = []
    reproduce(tiny(), folder, say=lines.append)
    assert shard.read_bytes() == whole
    assert any(shard.name in line and "damaged" in line for line in lines)


def _trained_at(folder, loss):
    return (folder / "models" / loss / "run.json").stat().st_mtime_ns


@pytest.mark.usefixtures("without_pictures")
def test_a_run_trained_again_with_the_same_numbers_leaves_its_row_as_it_stands(output, tmp_path):
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    before = (folder / "runs.csv").read_bytes()
    shutil.rmtree(folder / "models" / "softmax")
    reproduce(tiny(), folder)
    assert (folder / "models" / "softmax" / "run.json").exists()
    assert (folder / "runs.csv").read_bytes() == before


@pytest.mark.usefixtures("without_pictures")
def test_the_search_tries_the_grid_on_validation_images_and_its_choice_is_used(
    output, tmp_path, monkeypatch
):
    few = {loss: GRID[loss][:size] for loss, size in (("softmax", 1), ("ranking", 1), ("warp", 2))}
    monkeypatch.setattr("warptag.experiments.search.GRID", few)
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    reproduce(tiny(), folder, search_again=True)
    table = pd.read_csv(folder / "search.csv")
    assert len(table) == 1 + 1 + 2
    for loss, rows in table.groupby("loss"):
        assert rows.loc[rows["chosen"], "score"].item() == rows["score"].max(), loss
    runs = pd.read_csv(folder / "runs.csv")
    used = {row.loss: (row.learning_rate, row.normalization) for row in runs.itertuples()}
    assert used == chosen_settings(table)


def test_every_loss_has_the_same_budget_and_the_papers_rate_in_the_grid():
    assert len({len(candidates) for candidates in GRID.values()}) == 1
    for candidates in GRID.values():
        assert 0.002 in [rate for rate, _ in candidates]


def test_every_experiment_states_its_command():
    for name in EXPERIMENTS:
        module = __import__(f"warptag.experiments.{name}", fromlist=["EXPERIMENT"])
        assert "bash reproduce.sh" in module.__doc__
        assert module.EXPERIMENT.name == name


def test_changed_code_has_another_checksum(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("x = 1\n")
    before = provenance.code_checksum(tmp_path)
    assert provenance.code_checksum(tmp_path) == before
    module.write_text("x = 2\n")
    assert provenance.code_checksum(tmp_path) != before


def test_a_k_above_the_number_of_tags_is_refused(tmp_path):
    with pytest.raises(InputError, match="k = 82 is above the number of tags, 81"):
        reproduce(replace(tiny(), ks=(82,)), tmp_path)


def test_an_experiment_on_photographs_needs_their_folder(tmp_path):
    with pytest.raises(InputError, match="corel5k needs --input"):
        reproduce(load_experiment("corel5k"), tmp_path)


def test_the_records_of_another_experiment_are_not_replaced(output, tmp_path):
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    info = folder / "data" / "dataset_info.json"
    info.write_text(info.read_text().replace('"name": "scenes"', '"name": "mine"'))
    with pytest.raises(InputError, match="holds records of mine, not of scenes"):
        reproduce(tiny(), folder)
    assert list((folder / "data").glob("train-*.tfrecord"))


@pytest.mark.usefixtures("without_pictures")
def test_damaged_scores_and_settings_are_made_again(output, tmp_path):
    folder = tmp_path / "scenes"
    shutil.copytree(output, folder)
    scores = folder / "models" / "softmax" / "test_scores.npy"
    whole = scores.read_bytes()
    scores.write_bytes(whole[:200])
    kept = [path for path in (folder / "baselines").iterdir() if path.is_file()]
    assert len(kept) == 5  # kNN, SVM, JEC, TagProp, 2PKNN
    for path in kept:
        path.write_bytes(path.read_bytes()[:100])
    before = (folder / "table_k3.csv").read_bytes()
    lines = []
    reproduce(tiny(), folder, say=lines.append)
    assert sum("images to fit" in line for line in lines) == 5
    assert scores.read_bytes() == whole
    assert (folder / "table_k3.csv").read_bytes() == before
