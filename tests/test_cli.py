"""The command line: what it prints, where, and its exit status."""

import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import warptag_here

WARPTAG = [sys.executable, "-m", "warptag.cli"]


def process(*arguments):
    return subprocess.run([*WARPTAG, *arguments], capture_output=True, text=True, timeout=300)


def assert_one_message(result, status, *texts):
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    for text in texts:
        assert text in result.stderr


def test_help_and_version_say_what_there_is():
    assert "reproduce" in process("--help").stdout
    assert warptag_here("--version").stdout.startswith("warptag, version 0.")
    assert "warptag reproduce corel5k --input" in warptag_here("reproduce", "--help").stdout


def test_an_unknown_experiment_or_option_is_a_usage_error():
    assert_one_message(warptag_here("reproduce", "imagenet"), 2, "scenes", "corel5k", "nuswide")
    assert_one_message(warptag_here("reproduce", "--sead", "3"), 2, "--sead")
    assert_one_message(warptag_here("reproduce", "scenes", "--seeds", "0"), 2, "--seeds")


def test_a_missing_or_superfluous_input_is_a_usage_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_one_message(warptag_here("reproduce", "corel5k"), 2, "needs --input")
    result = warptag_here("reproduce", "scenes", "--input", tmp_path)
    assert_one_message(result, 2, "takes no --input")


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


@pytest.mark.usefixtures("without_pictures")
def test_a_stop_is_one_line_and_the_same_command_goes_on(tmp_path):
    # Its own process group, so that the signal reaches the workers as Ctrl-C in a terminal does.
    process = subprocess.Popen(
        [*WARPTAG, "reproduce", "--quick", "--output", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell may have been told to ignore it, as by nohup.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 200
    # Not while TensorFlow traces a function: its C++ code may turn the signal into another error.
    while not any(tmp_path.glob("baselines/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "resumes" in errors
    assert not (tmp_path / "table_k3.csv").exists()

    made = (tmp_path / "data" / "dataset_info.json").stat().st_mtime_ns
    result = warptag_here("reproduce", "--quick", "--output", tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "data" / "dataset_info.json").stat().st_mtime_ns == made
    assert "CNN + WARP" in result.stdout
    assert (tmp_path / "table_k5.csv").exists()
