"""The benchmark that compares losses on photographs, with made-up ones and a tiny network."""

import importlib
import itertools
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from sklearn.metrics import average_precision_score
from tfrecords_fixtures import jpeg

from tfrecords_tools.convert import convert
from tfrecords_tools.sources.corel5k import Corel5K
from warptag.data import Records
from warptag.models import FeatureNetwork
from warptag.training import TrainingSettings

pytestmark = pytest.mark.slow

SIZE = 32
NUM_WORDS = 8
HEAD = "Weighted binary cross-entropy"


@pytest.fixture(scope="module")
def benchmark():
    """The modules of the benchmark by name."""
    # The benchmarks are not installed, and pytest does not look for modules in its own folder.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[1])])
        names = ("cases", "comparison", "tables", "__main__")
        package = "benchmarks.photograph_losses"
        yield {name: importlib.import_module(f"{package}.{name}") for name in names}


@pytest.fixture(scope="module")
def corel5k(tmp_path_factory) -> Path:
    """80 training and 12 test photographs; the last word occurs in a test photograph only."""
    folder = tmp_path_factory.mktemp("input") / "corel5k"
    (folder / "labels").mkdir(parents=True)
    words = "\n".join(f"word {number}" for number in range(1, NUM_WORDS + 1))
    (folder / "labels" / "words").write_text(words)
    for split, count in (("train", 80), ("test", 12)):
        (folder / "db" / split).mkdir(parents=True)
        lines = []
        for image in range(count):
            (folder / "db" / split / f"{image}.jpeg").write_bytes(jpeg(image, SIZE, SIZE))
            lines.append(f"{image} {image % 7 + 1} {image % 3 + 1}")
        if split == "test":
            lines[0] += f" {NUM_WORDS}"
        file = "training_label" if split == "train" else "test_label"
        (folder / "labels" / file).write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def outcome(benchmark, corel5k, tmp_path_factory):
    """What the quick command wrote, for one loss, in the place of WARP, and all annotators."""
    work = tmp_path_factory.mktemp("work")
    module = sys.modules[keras.applications.EfficientNetB0.__module__]
    # In this process, since it takes workers of their own long to start.
    source = Corel5K(corel5k, size=SIZE)
    convert(source, work / "data", name="corel5k", settings=source.settings, workers=1)
    with pytest.MonkeyPatch.context() as patch:
        # The first of the 16 blocks only.
        patch.setattr(module, "DEFAULT_BLOCKS_ARGS", [module.DEFAULT_BLOCKS_ARGS[0]])
        patch.setattr(benchmark["__main__"], "default_size", lambda name: SIZE)
        heads = {HEAD: benchmark["cases"].HEADS[HEAD]}
        patch.setattr(benchmark["comparison"], "HEADS", heads)
        patch.setattr(benchmark["tables"], "REFERENCE", HEAD)
        network = FeatureNetwork("EfficientNetB0", (SIZE, SIZE, 3), seed=3)
        network.save_weights(work / "network.weights.h5")
        command = f"--weights {work}/network.weights.h5 --backbone EfficientNetB0 --seeds 2 --quick"
        paths = ["--input", corel5k, "--work", work, "--output", work / "losses.csv"]
        result = CliRunner().invoke(
            benchmark["__main__"].main, [*command.split(), *map(str, paths)], catch_exceptions=False
        )
    assert result.exit_code == 0, result.output
    return work


def test_the_settings_of_every_run_are_the_best_of_the_candidates(benchmark, outcome):
    runs = pd.read_csv(outcome / "losses_runs.csv")
    assert tuple(runs) == benchmark["cases"].RUN_COLUMNS
    names = list(benchmark["cases"].PARAMETERS)
    for method, of_method in runs.groupby("method"):
        searched, tested = (
            of_method[of_method["split"] == split] for split in ("validation", "test")
        )
        num_runs = 2 if method == HEAD else 1
        assert (len(searched), len(tested)) == (2, num_runs), method
        best = searched.sort_values("score", kind="stable", ascending=False)[names].head(1)
        for _, run in tested[names].iterrows():
            assert run.equals(best.iloc[0]), method


def test_metrics_are_over_the_words_of_training_and_test_photographs(outcome):
    runs = pd.read_csv(outcome / "losses_runs.csv")
    row = runs[(runs["method"] == HEAD) & (runs["split"] == "test")].iloc[1]
    (path,) = (outcome / "runs").glob("*/seed_1/test_scores.npy")
    scores = np.load(path)
    labels = Records(outcome / "data", "test").labels
    # The last word is in no training photograph.
    scores, labels = scores[:, :-1], labels[:, :-1]
    given = scores >= np.sort(scores, axis=1)[:, -5:-4]
    correct = (given & (labels == 1)).sum(axis=0)
    assert row["n_plus_words"] == (correct > 0).sum()
    assert row["per_class_recall"] == pytest.approx(
        100 * (correct / labels.sum(axis=0)).mean(), abs=1e-3
    )
    assert row["overall_precision"] == pytest.approx(
        100 * correct.sum() / (5 * len(labels)), abs=1e-3
    )
    average = average_precision_score(labels, scores, average="macro")
    assert row["mean_average_precision"] == pytest.approx(100 * average, abs=1e-3)


def test_tables_have_means_deviations_and_paired_intervals(benchmark):
    values = {"WARP": [60.0, 62.0, 61.0], "LSEP": [63.0, 66.0, 62.5], "kNN": [50.0]}
    grid = itertools.product(values, (0.1, 0.2, 0.3))
    rows = [
        {"method": method, "split": "validation", "learning_rate": rate} for method, rate in grid
    ]
    for method, of_method in values.items():
        run = {"method": method, "split": "test", "learning_rate": 0.2}
        rows += [run | dict.fromkeys(benchmark["cases"].METRICS, value) for value in of_method]
    runs = pd.DataFrame(rows, columns=list(benchmark["cases"].RUN_COLUMNS))
    table = benchmark["tables"].table_of(runs).set_index("method")
    assert table.loc["WARP", ["settings", "tried", "at an end", "runs", "R"]].tolist() == [
        *("learning rate 0.2", 3, "no", 3, "61.0 ± 1.0"),
    ]
    assert table.loc["kNN", "R"] == "50.0"
    minus = benchmark["tables"].minus_reference(runs).set_index("method")
    assert list(minus.index) == ["LSEP", "kNN"]
    for method in minus.index:
        difference = np.array(values[method]) - np.array(values["WARP"])
        low, high = stats.ttest_1samp(difference, 0).confidence_interval()
        expected = f"{difference.mean():+.1f} ({low:+.1f} to {high:+.1f})"
        assert minus.loc[method, "R"] == expected


def test_what_the_best_value_is_an_end_of_is_said(benchmark):
    found = [{"learning_rate": rate, "weight_decay": 0.0} for rate in (0.1, 1.0, 10.0)]
    assert benchmark["tables"].at_ends(found[1], found) == []
    assert benchmark["tables"].at_ends(found[2], found) == ["learning_rate"]


def test_rare_positives_weigh_more(benchmark):
    labels = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0], [0, -1, 0]])
    expected = [np.sqrt(4 / 1), 1.0, np.sqrt(5 / 1)]
    np.testing.assert_allclose(benchmark["cases"].positive_weights(labels), expected, atol=1e-4)
    settings = benchmark["cases"].WeightedSettings("bce", positive_weights=(2.0, 1.0))
    assert settings.make_loss().get_config()["positive_weights"] == [2.0, 1.0]


def test_the_settings_of_every_loss_are_valid(benchmark):
    for fixed in benchmark["cases"].HEADS.values():
        TrainingSettings(**{name: value for name, value in fixed.items() if name != "weighted"})
