"""Published rows beside this run's: the figures, their unit, and who measured what."""

import numpy as np
import pandas as pd
import pytest

from warptag.reporting import (
    PUBLISHED_COREL5K,
    Evaluation,
    published_table,
    tables_markdown,
    write_results,
)


@pytest.fixture
def labels():
    labels = np.zeros((4, 8), int)
    labels[0, :2] = labels[1, 2] = labels[2, 3] = labels[3, 6] = 1  # five words occur
    return labels


@pytest.fixture
def scores(labels):
    scores = np.tile(np.array([5.0, 4, 3, 2, 1, 0, -1, -2]), (4, 1))  # names words 0 to 4
    return {"Visual Feature + kNN": scores}


def test_figures_are_means_over_the_words_with_a_test_image(labels, scores):
    row = published_table(labels, scores).iloc[0]
    assert row["source"] == "this run"
    assert row["recall"] == pytest.approx(100 * 4 / 5)
    assert row["precision"] == pytest.approx(100 * (4 / 4) / 5)
    assert row["n_plus"] == 4


def test_published_rows_follow_and_are_told_apart(labels, scores):
    table = published_table(labels, scores)
    assert table["source"].tolist() == ["this run"] + ["published"] * len(PUBLISHED_COREL5K)
    jec = table.set_index("method").loc["JEC (Makadia et al. 2008)"]
    assert (jec["precision"], jec["recall"], jec["n_plus"]) == (27, 32, 139)
    evaluation = Evaluation([f"w{i}" for i in range(8)], labels, labels.sum(axis=0), {}, ks=(3,))
    lines = tables_markdown(evaluation, published=table).splitlines()
    assert "| Visual Feature + kNN | 20.0 | 80.0 | 4 |" in lines
    assert "| *JEC (Makadia et al. 2008)* | *27* | *32* | *139* |" in lines


def test_rows_over_features_have_a_plot_and_the_published_ones_a_file(labels, scores, tmp_path):
    scores = {method: [array] for method, array in scores.items()}
    names = [f"w{i}" for i in range(8)]
    evaluation = Evaluation(names, labels, labels.sum(axis=0), scores, ks=(3,))
    first = {method: some[0] for method, some in scores.items()}
    table = published_table(labels, first)
    written = {path.name for path in write_results(evaluation, tmp_path, published=table)}
    assert written >= {
        "published_k5.csv",
        "features_recall_by_frequency.png",
        "features_precision_by_frequency.png",
    }
    assert pd.read_csv(tmp_path / "published_k5.csv")["n_plus"][0] == 4
