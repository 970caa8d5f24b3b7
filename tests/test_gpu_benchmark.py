"""The benchmark of one GPU, in small sizes on a CPU."""

import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from tfrecords_fixtures import jpeg

pytest.importorskip("torch", reason="torch is in the extra backends")
pytest.importorskip("jax", reason="jax is in the extra backends")

LOSSES = ["softmax", "ranking", "WARP, sampled", "WARP, expected", "WARP, exact", "WARP, loop"]
PAPER_LOSSES = ["softmax", "ranking", "warp"]


@pytest.fixture(scope="module")
def gpu():
    """The modules of the benchmark by name; it is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[1])])
        yield lambda name: importlib.import_module(f"benchmarks.gpu.{name}")


@pytest.fixture
def without_tensorflow(tmp_path, monkeypatch):
    """The machine with the GPU does not have it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "tensorflow.py").write_text("raise ImportError('TensorFlow is not installed')")
    monkeypatch.syspath_prepend(folder)


def run(gpu, *arguments):
    return CliRunner().invoke(gpu("__main__").main, [*map(str, arguments)])


@pytest.mark.extra
@pytest.mark.usefixtures("without_tensorflow")
def test_the_losses_are_measured_in_a_process_of_their_own(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu("__main__"), "MODULES", {"jax": ("losses",)})
    monkeypatch.setitem(gpu("cases").SMALL, "num_tags", (8,))
    result = run(gpu, "--small", "--output", tmp_path / "gpu.csv")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "gpu.csv")
    assert list(table["what"]) == 2 * LOSSES
    assert (table["milliseconds"] > 0).all() and (table["ratio"] > 0).all()
    assert (table["ratio"][table["what"] == "softmax"] == 1).all()
    assert set(table["backend"]) == {"jax"} and set(table["platform"]) == {"cpu"}
    assert table["versions"].str.contains("jax 0.").all() and table["note"].isna().all()


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_fails_has_a_note_and_no_number(gpu, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no compiler\nwas found")

    monkeypatch.setattr("torch.compile", fail)
    speed = gpu("cases").Speed(**gpu("cases").SMALL)
    table = gpu("report").table_of(list(gpu("torch_steps").measure(speed)))
    compiled = table["what"] == "PyTorch loop, torch.compile"
    assert list(compiled) == [False, False, True, True]
    assert (table["images_per_second"][~compiled] > 0).all()
    assert table[compiled][["milliseconds", "images_per_second", "ratio"]].isna().all(axis=None)
    assert set(table["note"][compiled]) == {"failed: RuntimeError: no compiler"}


@pytest.mark.extra
def test_steps_are_compared_with_the_same_loop_and_judged(gpu):
    step = {"stage": "step", "precision": "float32", "batch": 32}
    share = {"stage": "share", "precision": "float32", "over": "warptag, WARP"}
    table = gpu("report").table_of(
        [
            {**step, "what": "warptag, softmax", "milliseconds": 8.0},
            {**step, "what": "warptag, softmax", "milliseconds": 30.0, "batch": 256},
            {**step, "what": "warptag, softmax", "milliseconds": 1.0, "precision": "bfloat16"},
            {**step, "what": "PyTorch loop", "milliseconds": 10.0},
            {**step, "what": "PyTorch loop", "milliseconds": 15.0, "batch": 256},
            {**share, "what": "WARP minus softmax", "batch": 32, "ratio": 0.02},
            {**share, "what": "WARP minus softmax", "batch": 256, "ratio": 0.04},
        ]
    )
    # The loop with bfloat16 was not measured.
    assert table["ratio"].fillna(0).tolist() == [10 / 8, 15 / 30, 0, 1, 1, 0.02, 0.04]
    assert table["images_per_second"][0] == 32 / 0.008
    judged = gpu("report").judge_targets(table)
    assert judged["outcome"].tolist() == ["met", "missed", "met", "missed"]


@pytest.mark.extra
def test_means_are_over_the_test_runs_that_did_not_diverge(gpu):
    run = {"loss": "warp", "split": "test", "note": "", "learning_rate": 0.01}
    runs = [
        {**run, "n_plus_at_5": 20.0},
        {**run, "n_plus_at_5": 40.0},
        {**run, "note": "the training diverged"},
        {**run, "split": "validation", "n_plus_at_5": 90.0},
    ]
    [means] = gpu("report").means_of(pd.DataFrame(runs)).to_dict("records")
    assert (means["n_plus_at_5"], means["runs"], means["diverged"]) == (30.0, 3, 1)


@pytest.mark.extra
def test_an_interrupted_run_keeps_its_rows(gpu, tmp_path, monkeypatch):
    def interrupted(*_):
        yield {"stage": "loss", "what": "softmax", "milliseconds": 1.0}
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu("__main__"), "measured", interrupted)
    result = run(gpu, "--small", "--output", tmp_path / "gpu.csv")
    assert result.exit_code == 1
    assert pd.read_csv(tmp_path / "gpu.csv")["what"].tolist() == ["softmax"]


@pytest.mark.extra
def test_without_a_gpu_or_time_nothing_is_written(gpu, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(gpu("__main__"), "MODULES", {"jax": ("losses",)})
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    for arguments, option in (([], "--small"), (["--small", "--minutes", "0.0001"], "")):
        result = run(gpu, *arguments, "--output", tmp_path / "gpu.csv")
        assert result.exit_code == 1 and "JAX" in result.output
        assert option in capfd.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.usefixtures("without_tensorflow")
def test_everything_in_small_sizes(gpu, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-compiler")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    result = run(gpu, "--small", "--minutes", 60, "--output", tmp_path / "gpu.csv")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "gpu.csv")
    assert set(table["backend"]) == {"jax", "torch"}
    cases = table.groupby(["stage", "precision"], dropna=False)["what"].nunique()
    assert cases["share"].tolist() == [1, 1] and cases["step"].tolist() == [4, 4]
    failed = table[table["note"].notna()]
    assert set(failed["what"]) == {"PyTorch loop, torch.compile"} and len(failed) == 2
    measured = table[table["note"].isna()]
    assert measured["milliseconds"].notna().all() and measured["ratio"].notna().all()


@pytest.mark.gpu
@pytest.mark.usefixtures("without_tensorflow")
def test_photographs_are_trained_on(gpu, tmp_path):
    folder = tmp_path / "corel5k"
    (folder / "labels").mkdir(parents=True)
    (folder / "labels" / "words").write_text("\n".join(f"word {i}" for i in range(1, 8)))
    for split, count in (("train", 20), ("test", 6)):
        (folder / "db" / split).mkdir(parents=True)
        for i in range(count):
            (folder / "db" / split / f"{i}.jpeg").write_bytes(jpeg(i, 40, 60))
        lines = "\n".join(f"{i} {i % 7 + 1} {i % 3 + 1}" for i in range(count))
        name = "training_label" if split == "train" else "test_label"
        (folder / "labels" / name).write_text(lines)
    options = ("--small", "--minutes", 60, "--results", tmp_path / "results")
    result = run(gpu, "--corel5k", folder, *options)
    assert result.exit_code == 0, result.output
    runs = pd.read_csv(tmp_path / "results" / "runs.csv")
    searched, tested = (runs[runs["split"] == split] for split in ("validation", "test"))
    assert searched["loss"].tolist() == [loss for loss in PAPER_LOSSES for _ in range(2)]
    assert (
        tested["loss"].tolist() == 2 * PAPER_LOSSES and tested["seed"].tolist() == [0] * 3 + [1] * 3
    )
    chosen = searched.loc[searched.groupby("loss", sort=False)["score"].idxmax()]
    assert tested["learning_rate"].tolist() == 2 * chosen["learning_rate"].tolist()
    assert tested["per_class_recall_at_3"].between(0, 100).all()
    assert tested["num_train"].eq(18).all() and tested["train_loss"].gt(0).all()
