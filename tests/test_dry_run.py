"""`reproduce --dry-run`: the estimates, the checks of the input, and that nothing is written."""

import shutil
import sys
from dataclasses import replace

import keras
import pandas as pd
import pytest
from command_line import warptag_here
from tfrecords_fixtures import contents, write_corel5k, write_nuswide, write_nuswide_features

from tfrecords_tools.errors import InputError
from warptag.experiments import EXPERIMENTS
from warptag.pipeline import dry_run as module
from warptag.pipeline.data import convert_photographs
from warptag.pipeline.dry_run import dry_run, num_steps, training_runs
from warptag.pipeline.estimate import Estimate, total
from warptag.pipeline.reproduce import reproduce

COREL5K = replace(EXPERIMENTS["corel5k"], ks=(1,), features=None, networks=None)


@pytest.mark.slow
def test_every_step_is_estimated_and_nothing_is_written(tmp_path, monkeypatch):
    # EfficientNetB0 with the first of its 16 blocks.
    blocks = sys.modules[keras.applications.EfficientNetB0.__module__]
    monkeypatch.setattr(blocks, "DEFAULT_BLOCKS_ARGS", [blocks.DEFAULT_BLOCKS_ARGS[0]])
    for name, value in {"SAMPLE": 10, "MAX_STEPS": 2, "MAX_SECONDS": 0.1}.items():
        monkeypatch.setattr(module, name, value)
    output = tmp_path / "results"
    options = ["--quick", "--seeds", 2, "--search", "--backbone", "EfficientNetB0", "--dry-run"]
    result = warptag_here("reproduce", "scenes", *options, "--output", output)
    assert result.returncode == 0, result.stderr
    assert not output.exists()
    steps = ["Data: data", "Visual features", "Networks", "Data: pretrained_data"]
    for text in (*steps, "Pretrained networks", "In all"):
        assert f"\n{text}" in f"\n{result.stdout}"
    # 3 losses x 2 seeds; of the search, 3 x 4 dropouts and 3 x 6 candidates. 540 images make 16
    # batches.
    for text in ("540 train", "36 runs", "576 steps", "EfficientNetB0"):
        assert text in result.stdout


@pytest.mark.parametrize("name", ["scenes", "scenes-large", "corel5k"])
def test_the_steps_are_those_of_the_committed_runs(name):
    experiment = EXPERIMENTS[name]
    runs = pd.read_csv(f"results/{name}/runs.csv")
    runs = runs[~runs["method"].str.startswith("Pretrained")]
    estimated = training_runs(experiment.networks, experiment.seeds)
    assert len(estimated) == len(runs)
    # Whole batches; the committed seconds are rounded.
    steps = runs["seconds"] * runs["images_per_second"] / runs["batch_size"]
    steps_per_epoch = round((steps / runs["epochs"]).mean())
    assert num_steps(estimated, steps_per_epoch * 32 + 31) == pytest.approx(steps.sum(), rel=1e-3)


def test_finished_records_cost_nothing_and_damaged_images_are_counted(tmp_path):
    release, output = write_corel5k(tmp_path), tmp_path / "results"
    (release / "db" / "train" / "1003.jpeg").write_bytes(b"no picture")
    (before,) = dry_run(COREL5K, output, input_dir=release)
    assert not output.exists()
    assert before.seconds > 0 and before.disk > 0
    assert "1 of a sample of 6" in before.what
    convert_photographs(COREL5K.data, COREL5K.data.settings, release, output / "data")
    files = contents(output / "data")
    (after,) = dry_run(COREL5K, output, input_dir=release)
    assert after.seconds == after.disk == 0
    assert contents(output / "data") == files


def test_a_wrong_input_has_the_same_error_as_the_run(tmp_path):
    release = write_corel5k(tmp_path)
    too_many_tags = replace(COREL5K, ks=(5,))
    labels = release / "labels" / "training_label"
    wrong = shutil.copytree(release, tmp_path / "wrong")
    (wrong / "labels" / labels.name).write_text(f"{labels.read_text()}9999 1\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    for experiment, folder in ((COREL5K, wrong), (COREL5K, empty), (too_many_tags, release)):
        messages = []
        for run in (reproduce, lambda *args, **options: list(dry_run(*args, **options))):
            with pytest.raises(InputError) as error:
                run(experiment, tmp_path / "results", input_dir=folder)
            messages.append(str(error.value))
        assert messages[0] == messages[1]


def test_fewer_images_than_a_batch_are_an_error(tmp_path):
    experiment = replace(COREL5K, networks=EXPERIMENTS["corel5k"].networks)
    with pytest.raises(InputError, match="batch of 32"):
        list(dry_run(experiment, tmp_path / "results", input_dir=write_corel5k(tmp_path)))


def test_the_images_of_nuswide_that_are_missing_are_not_counted(tmp_path):
    release, output = write_nuswide(tmp_path, num_missing=3), tmp_path / "results"
    experiment = replace(EXPERIMENTS["nuswide"], ks=(1,), features=None, networks=None)
    (data,) = dry_run(experiment, output, input_dir=release)
    # Every fourth of the 40 images has no tag.
    assert f"sample of {30 - 3}" in data.what
    assert not output.exists()


def test_experiments_without_photographs(tmp_path):
    release, output = write_nuswide_features(write_nuswide(tmp_path)), tmp_path / "results"
    bound, features = (
        replace(EXPERIMENTS[name], ks=(1,)) for name in ("nuswide-upper-bound", "nuswide-features")
    )
    (data,) = dry_run(bound, output, input_dir=release)
    assert "3 tags" in data.what
    data, described = dry_run(features, output, input_dir=release)
    assert described.disk > 0
    assert not output.exists()
    (release / "Low_Level_Features" / "BoW_Test_int.dat").unlink()
    with pytest.raises(InputError, match=r"BoW_Test_int\.dat"):
        list(dry_run(features, output, input_dir=release))


def test_what_does_not_fit_has_a_warning(tmp_path):
    small, large = Estimate("a", "", 3600, 1e3, 1e3), Estimate("b", "", 3600, 1e18, 1e18)
    assert "Warning" not in total([small], tmp_path / "none" / "results")
    assert "2.0 hours" in total([small, large], tmp_path)
    assert total([small, large], tmp_path).count("Warning") == 2
