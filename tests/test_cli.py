"""The command line: what it prints, where, and its exit status."""

import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import warptag_here

#: Ctrl-C may be ignored where the tests run, as under nohup; a terminal's child heeds it.
HEEDING_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from warptag.cli import main
main()
"""
#: Runs the command line as if only the packages of `pip install warptag` were installed.
WITHOUT_EXTRAS = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    missing = "tensorflow pandas scipy PIL simplejpeg tqdm cv2".split()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in cls.missing:
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def python(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def assert_one_message(result, status, *texts):
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    for text in texts:
        assert text in result.stderr


def test_help_and_version():
    assert "warptag reproduce corel5k --input" in warptag_here("reproduce", "--help").stdout
    assert warptag_here("--version").stdout.startswith("warptag, version 0.")


def test_an_unknown_experiment_or_option_is_a_usage_error():
    assert_one_message(warptag_here("reproduce", "imagenet"), 2, "scenes", "corel5k", "nuswide")
    assert_one_message(warptag_here("reproduce", "--sead", "3"), 2, "--sead")
    assert_one_message(warptag_here("reproduce", "scenes", "--seeds", "0"), 2, "--seeds")
    assert_one_message(warptag_here("reproduce", "nuswide-features", "--search"), 2, "--input")


def test_a_missing_or_superfluous_input_is_a_usage_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_one_message(warptag_here("reproduce", "corel5k"), 2, "--input")
    result = warptag_here("reproduce", "scenes", "--input", tmp_path)
    assert_one_message(result, 2, "--input")


@pytest.mark.parametrize("name", ["corel5k", "nuswide", "nuswide-upper-bound"])
def test_a_missing_and_an_empty_input_folder_are_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (tmp_path / "none", empty):
        result = warptag_here("reproduce", name, "--input", folder)
        assert_one_message(result, 1, "Error: ", str(folder))
        assert len(result.stderr.strip().splitlines()) == 1


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = warptag_here("reproduce", "--output", blocked / "results")
    assert_one_message(result, 1, str(blocked), "--output")


@pytest.mark.slow
def test_a_stop_is_one_line_and_a_status(tmp_path):
    # Its own process group, so that the signal reaches the workers as Ctrl-C in a terminal does.
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING_CTRL_C, "reproduce", "--output", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    while not any(tmp_path.glob("data/*.tfrecord.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert_one_message(process_result(process, errors), 130, "resumes")
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "data" / "dataset_info.json").exists()


def process_result(process, errors):
    return subprocess.CompletedProcess(process.args, process.returncode, "", errors)


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["reproduce"], "reproduce"),
        (["annotate", "photo.jpg", "--model", "run"], "tensorflow"),
        (["evaluate", "run", "--records", "data"], "tensorflow"),
        (["convert", "scenes", "--output", "data"], "reproduce"),
        (["convert", "folder", "--input", ".", "--output", "data"], "tensorflow"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(tmp_path, arguments, extra):
    program = "tfrecords_tools.__main__" if arguments[0] == "convert" else "warptag.cli"
    code = f"{WITHOUT_EXTRAS}\nfrom {program} import main\nmain()"
    result = python(code, *arguments, cwd=tmp_path)
    assert_one_message(result, 1, f"pip install 'warptag[{extra}]'")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "backend",
    ["tensorflow", *(pytest.param(name, marks=pytest.mark.extra) for name in ("jax", "torch"))],
)
def test_losses_metrics_and_models_need_keras_and_a_backend_alone(backend):
    pytest.importorskip(backend)
    code = WITHOUT_EXTRAS.replace(f"{backend} ", "")
    if backend == "jax":
        code = code.replace("scipy ", "")  # which JAX brings
    code += """
import warptag
model = warptag.models.AlexNet(3, (32, 32, 3), width=0.05, dense_units=4)
loss = warptag.losses.WARP()([[1, 0, 0]], model(__import__("numpy").zeros((1, 32, 32, 3))))
print(float(loss) >= 0, warptag.metrics.PerClassRecall(k=1).name)
print(warptag.baselines.upper_bound_scores([[1, 0]]).argmax())
"""
    result = python(code, env={**os.environ, "KERAS_BACKEND": backend})
    assert result.stdout.split() == ["True", "per_class_recall_at_1", "0"], result.stderr
