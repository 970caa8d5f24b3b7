"""The results in the repository are those of the code: settings, runs, tables, pages."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warptag.experiments import EXPERIMENTS
from warptag.pipeline.search import chosen_settings, chosen_shared
from warptag.reporting.markdown import tables_markdown
from warptag.reporting.page import render_page
from warptag.reporting.result_folder import read_results

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"


@pytest.mark.parametrize("name", ["scenes", "corel5k"])
def test_the_settings_kept_with_an_experiment_are_those_its_search_chose(name):
    networks = EXPERIMENTS[name].networks
    table = pd.read_csv(RESULTS / name / "search.csv")
    assert networks.chosen == chosen_settings(table)
    if networks.shared_grid:
        shared = pd.read_csv(
            RESULTS / name / "search_shared.csv", dtype={"value": str}, keep_default_na=False
        )
        assert networks.with_shared(chosen_shared(shared, networks)) == networks


@pytest.mark.parametrize("name", ["scenes", "scenes-large", "corel5k", "nuswide-upper-bound"])
def test_tables_and_page_are_made_from_the_files(name):
    results = read_results(RESULTS / name)
    assert tables_markdown(results) == (RESULTS / name / "tables.md").read_text()
    page = RESULTS / name / "report.html"
    if page.exists():
        # Another version of matplotlib may draw other bytes.
        texts = [page.read_text(), render_page(results)]
        first, second = (re.sub('src="data:image/svg[^"]*"', "", text) for text in texts)
        assert first == second
    for k, table in results.tables.items():
        ratio = table["overall_precision"] * k / table["overall_recall"]
        np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)
        for method, runs in [] if results.runs is None else results.runs.groupby("method"):
            row = table.set_index("method").loc[method]
            for metric in ("per_class_recall", "overall_precision", "n_plus"):
                mean = runs[f"{metric}_at_{k}"].astype(float).mean()
                assert row[metric] == pytest.approx(mean, abs=0.011)


def test_no_photograph_is_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    with_photographs = ("gallery.json", "report.html", "annotations.png")
    committed = listed.stdout.split()
    assert "results/scenes/annotations.png" in committed
    assert not [path for path in committed if "corel5k" in path and path.endswith(with_photographs)]
