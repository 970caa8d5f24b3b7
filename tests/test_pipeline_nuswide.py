"""The experiments on NUS-WIDE without its images: its labels alone, and its own features."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from tfrecords_fixtures import write_nuswide, write_nuswide_features

from tfrecords_tools.errors import InputError
from warptag.experiments import EXPERIMENTS
from warptag.pipeline.reproduce import reproduce

UPPER_BOUND, FEATURES = (
    replace(EXPERIMENTS[name], ks=(1, 2), seeds=2)
    for name in ("nuswide-upper-bound", "nuswide-features")
)


@pytest.fixture
def release(tmp_path):
    folder = write_nuswide_features(write_nuswide(tmp_path))
    shutil.rmtree(folder / "Flickr")
    return folder


@pytest.mark.usefixtures("without_pictures")
def test_the_upper_bound_needs_the_labels_alone(release, tmp_path):
    shutil.rmtree(release / "Low_Level_Features")
    (tmp_path / "results").mkdir()
    # Left by an earlier `warptag report`, which would score its runs again.
    (tmp_path / "results" / "scored.json").write_text("{}")
    reproduce(UPPER_BOUND, tmp_path / "results", input_dir=release)
    assert not (tmp_path / "results" / "scored.json").exists()
    table = pd.read_csv(tmp_path / "results" / "table_k1.csv").set_index("method")
    assert list(table.index) == ["Upper bound", "Upper bound (random)", "Most frequent tags"]
    assert table.loc["Upper bound", "overall_precision"] == 100
    assert table["seeds"].tolist() == [2, 2, 1]


@pytest.mark.usefixtures("without_pictures")
def test_the_rows_over_the_releases_features_are_fitted_once(release, tmp_path, caplog):
    output = tmp_path / "results"
    caplog.set_level("INFO")
    reproduce(FEATURES, output, input_dir=release)
    assert caplog.text.count("images to fit") == 5
    table = pd.read_csv(output / "table_k1.csv").set_index("method")
    # The features of these files tell the tags.
    recall = table["overall_recall"]
    assert recall["Visual Feature + SVM"] > recall["Most frequent tags"]
    before = (output / "tables.md").read_bytes()
    reproduce(FEATURES, output, input_dir=release)
    assert caplog.text.count("images to fit") == 5
    assert (output / "tables.md").read_bytes() == before
    # Another input for the same output is refused.
    with (release / "Low_Level_Features" / "BoW_Test_int.dat").open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"BoW_Test_int\.dat"):
        reproduce(FEATURES, output, input_dir=release)


def test_a_feature_file_of_the_wrong_width_is_named(release, tmp_path):
    path = release / "Low_Level_Features" / "Train_Normalized_EDH.dat"
    path.write_text("".join(f"{line} 1\n" for line in path.read_text().splitlines()))
    with pytest.raises(InputError, match=r"EDH\.dat.*73.*74"):
        reproduce(FEATURES, tmp_path / "results", input_dir=release)
