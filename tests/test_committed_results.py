"""The results in the repository hold together: tables, search, experiments, README."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warptag.experiments import EXPERIMENTS
from warptag.pipeline.search import chosen_settings
from warptag.reporting.readme import update_tables

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
NETWORKS = ["CNN + Softmax", "CNN + Ranking", "CNN + WARP"]


@pytest.mark.parametrize("name", ["scenes", "corel5k"])
def test_the_settings_kept_with_an_experiment_are_those_its_search_chose(name):
    table = pd.read_csv(RESULTS / name / "search.csv")
    assert EXPERIMENTS[name].networks.chosen == chosen_settings(table)


@pytest.mark.parametrize("name", ["scenes", "corel5k", "nuswide-upper-bound"])
def test_the_identity_holds_in_every_committed_table(name):
    for k in (3, 5):
        table = pd.read_csv(RESULTS / name / f"table_k{k}.csv")
        ratio = table["overall_precision"] * k / table["overall_recall"]
        np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)


@pytest.mark.parametrize("name", ["scenes", "corel5k"])
def test_committed_networks_beat_naming_the_most_frequent_tags(name):
    k = 3 if name == "scenes" else 5
    table = pd.read_csv(RESULTS / name / f"table_k{k}.csv").set_index("method")
    floor = table.loc["Most frequent tags"]
    for method in NETWORKS:
        assert table.loc[method, "seeds"] >= 3
        assert table.loc[method, "per_class_recall"] > 3 * floor["per_class_recall"]
        assert table.loc[method, "n_plus"] > 3 * floor["n_plus"]


def test_the_committed_upper_bound_is_the_papers_within_three_tenths():
    paper = {3: (97.00, 44.87, 82.76, 66.49, 100.0), 5: (99.57, 28.83, 96.40, 46.22, 100.0)}
    for k, row in paper.items():
        table = pd.read_csv(RESULTS / "nuswide-upper-bound" / f"table_k{k}.csv")
        np.testing.assert_allclose(table.iloc[0, 1:6].astype(float), row, atol=0.3)


@pytest.mark.parametrize("name", ["scenes", "corel5k"])
def test_runs_stand_behind_the_tables(name):
    runs = pd.read_csv(RESULTS / name / "runs.csv")
    for k in (3, 5):
        table = pd.read_csv(RESULTS / name / f"table_k{k}.csv").set_index("method")
        for method, some in runs.groupby("method"):
            for figure in ("per_class_recall", "overall_precision", "n_plus"):
                mean = some[f"{figure}_at_{k}"].mean()
                assert table.loc[method, figure] == pytest.approx(mean, abs=0.011)


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("README.md", "results/scenes/table_k3.csv"),
        ("docs/baselines.md", "results/corel5k/published_k5.csv"),
        ("docs/baselines.md", "docs/feature_choices.csv"),
        ("docs/training.md", "docs/asynchronous_benchmark.csv"),
    ],
)
def test_tables_on_pages_are_those_of_the_results(page, table):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"<!-- table: {table} -->" in text
    assert update_tables(text, ROOT) == text


def test_the_committed_rows_reach_what_the_docs_say_they_reach():
    table = pd.read_csv(RESULTS / "corel5k" / "published_k5.csv").set_index("method")
    figures = ["precision", "recall"]
    published = table.loc["JEC (Makadia et al. 2008)", figures]
    assert (table.loc["Visual Feature + kNN", figures] >= published).all()
    published = table.loc["TagProp sigma-ML (Guillaumin et al. 2009)", figures]
    assert (table.loc["Visual Feature + TagProp", figures] >= published - 3).all()


def test_no_photograph_is_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    results = listed.stdout.split()
    assert not [
        path
        for path in results
        if path.endswith(("gallery.json", "report.html")) and "corel5k" in path
    ]
    pictures = {path for path in results if path.endswith((".png", ".jpg"))}
    assert "results/scenes/annotations.png" in pictures
    assert not [path for path in pictures if "annotations" in path and "scenes" not in path]
