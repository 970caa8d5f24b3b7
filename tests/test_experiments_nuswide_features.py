"""The rows over NUS-WIDE's own features: from its files to tables, kept, made again, bad input."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tfrecords_fixtures import write_nuswide, write_nuswide_features

from tfrecords_tools.errors import InputError
from warptag.baselines import BlockEmbedding
from warptag.experiments import nuswide_features
from warptag.experiments.nuswide_features import reproduce_nuswide_features


@pytest.fixture
def release(tmp_path):
    folder = write_nuswide_features(write_nuswide(tmp_path))
    shutil.rmtree(folder / "Flickr")
    return folder


def test_tables_from_the_release_and_a_second_run_fits_nothing(release, tmp_path, monkeypatch):
    monkeypatch.setattr(nuswide_features, "KS", (1, 2))
    output, lines = tmp_path / "results", []
    reproduce_nuswide_features(release, output, lines.append)
    assert len(lines) == 5 and "Visual Feature + kNN" in lines[0]
    table = pd.read_csv(output / "table_k1.csv").set_index("method")
    floor = table.loc["Most frequent tags", "overall_recall"]
    # The features say the tags.
    assert table.loc["Visual Feature + SVM", "overall_recall"] > floor
    before = (output / "tables.md").read_bytes()
    assert b"six low-level features" in before
    reproduce_nuswide_features(release, output, lines.append)
    assert len(lines) == 5 and (output / "tables.md").read_bytes() == before


def test_another_input_for_the_same_output_is_refused(release, tmp_path, monkeypatch):
    monkeypatch.setattr(nuswide_features, "KS", (1, 2))
    output = tmp_path / "results"
    reproduce_nuswide_features(release, output, lambda line: None)
    with (release / "Low_Level_Features" / "BoW_Test_int.dat").open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"BoW_Test_int\.dat of .* bytes.*remove"):
        reproduce_nuswide_features(release, output, lambda line: None)


def test_a_feature_file_of_the_wrong_width_is_named(release, tmp_path):
    path = release / "Low_Level_Features" / "Train_Normalized_EDH.dat"
    path.write_text("".join(f"{line} 1\n" for line in path.read_text().splitlines()))
    with pytest.raises(InputError, match=r"EDH\.dat: .* 73 .* 74 values"):
        reproduce_nuswide_features(release, tmp_path / "results")


def test_blocks_are_embedded_one_by_one_and_bad_rows_refused():
    X = np.random.default_rng(0).random((30, 9)).astype(np.float32)
    columns = {"CH": slice(0, 4), "BoW": slice(4, 9)}
    embedding = BlockEmbedding(columns, {"CH": "linear", "BoW": "hellinger"}, num_components=3)
    rows = embedding.fit_transform(X)
    assert rows.shape == (30, 6) and embedding.blocks_ == [3, 3]
    np.testing.assert_array_equal(rows[:, :3], embedding.embeddings_["CH"].transform(X[:, :4]))
    with pytest.raises(ValueError, match="no kernel for the feature 'BoW'"):
        BlockEmbedding(columns, {"CH": "linear"}).fit(X)
    with pytest.raises(ValueError, match="18 features"):
        embedding.transform(np.concatenate([X, X], axis=1))
    X[4, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        embedding.transform(X)
