"""One process at a time writes into a folder; a killed one leaves no lock behind."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import pytest
from command_line import warptag_here
from tfrecords_fixtures import Striped, write_nuswide, write_nuswide_features

from tfrecords_tools.convert import convert
from tfrecords_tools.download.downloader import download
from tfrecords_tools.lock import LOCK_FILE, InUse, exclusive, one_at_a_time
from tfrecords_tools.sources.nuswide import write_features

HOLD = """
import os, sys, time
from tfrecords_tools.lock import exclusive
with exclusive(*sys.argv[1:]):
    # A forked child that outlives its parent. It says when it has forgotten the lock.
    if not os.fork():
        print(os.getpid(), flush=True)
    time.sleep(600)
"""


@contextmanager
def held(*arguments):
    """Another process holds the lock; yields it and the process id of its forked child."""
    command = [sys.executable, "-c", HOLD, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


def test_a_second_process_is_told_who_writes_and_a_kill_frees_the_folder(tmp_path):
    folder = tmp_path / "folder"
    with held(folder) as process:
        with pytest.raises(InUse) as error, exclusive(folder):
            pass
        assert (error.value.path, error.value.process["pid"]) == (folder, process.pid)
        assert str(folder) in str(error.value) and str(process.pid) in str(error.value)
        (tmp_path / "link").symlink_to(folder)
        with pytest.raises(InUse), exclusive(tmp_path / "link"):
            pass
        # Its child lives on.
        process.kill()
        process.wait()
        assert (folder / LOCK_FILE).exists()
        with exclusive(folder):
            (folder / "file").touch()
    assert os.listdir(folder) == ["file"]


def test_a_function_that_holds_it_may_call_another_and_a_thread_may_not(tmp_path):
    refused = []

    @one_at_a_time("folder")
    def inner(folder):
        return "done"

    def call():
        try:
            inner(tmp_path)
        except InUse as error:
            refused.append(error.process["pid"])

    @one_at_a_time("output")
    def outer(output):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        return inner(output)

    assert outer(tmp_path) == "done" and refused == [os.getpid()]
    call()
    assert len(refused) == 1


def test_an_error_ends_it_and_a_folder_that_it_made_for_nothing_is_removed(tmp_path):
    @one_at_a_time("output")
    def fail(output):
        assert (output / LOCK_FILE).exists()
        raise KeyError

    with pytest.raises(KeyError):
        fail(output=tmp_path / "new")
    assert os.listdir(tmp_path) == []


def test_the_lock_of_a_folder_that_replaced_this_one_is_left_alone(tmp_path):
    folder = tmp_path / "folder"
    with ExitStack() as stack:
        with exclusive(folder):
            folder.rename(tmp_path / "old")
            stack.enter_context(held(folder))
        with pytest.raises(InUse), exclusive(folder):
            pass


@pytest.mark.parametrize("number", ["ENOLCK", "EOPNOTSUPP"])
def test_without_locks_in_the_file_system_nothing_is_locked(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(getattr(errno, number), "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with exclusive(tmp_path), exclusive(tmp_path):
        assert os.listdir(tmp_path) == []


def test_what_is_no_folder_or_has_no_place_for_a_lock_is_left_to_the_caller(tmp_path):
    (tmp_path / "file").touch()
    with exclusive(tmp_path / "file"):
        pass
    (tmp_path / LOCK_FILE).mkdir()
    with exclusive(tmp_path):
        pass
    (tmp_path / "folder").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "folder" / LOCK_FILE).symlink_to(tmp_path / "mine")
    with exclusive(tmp_path / "folder"):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def convert_into(folder, tmp_path):
    convert(Striped(8, 2), folder, name="striped", settings={}, workers=1)


def download_into(folder, tmp_path):
    tmp_path.mkdir(exist_ok=True)
    urls = tmp_path / "urls"
    urls.write_text("C:\\ImageData\\Flickr\\sky\\0_1.jpg 1 null null null null\n")
    download(urls, folder)


def write_features_into(folder, tmp_path):
    tmp_path.mkdir(exist_ok=True)
    write_features(write_nuswide_features(write_nuswide(tmp_path)), folder)


@pytest.mark.parametrize("write", [convert_into, download_into, write_features_into])
def test_each_writer_refuses_and_leaves_no_lock(tmp_path, write):
    folder = tmp_path / "output"
    with held(folder):
        with pytest.raises(InUse):
            write(folder, tmp_path / "refused")
        assert os.listdir(folder) == [LOCK_FILE]
    write(folder, tmp_path)
    assert LOCK_FILE not in os.listdir(folder) and os.listdir(folder)


@pytest.mark.parametrize("command", ["reproduce scenes --quick --output", "report"])
def test_each_command_refuses_with_one_line(tmp_path, command):
    with held(tmp_path) as process:
        result = warptag_here(*command.split(), tmp_path)
        assert os.listdir(tmp_path) == [LOCK_FILE]
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert str(process.pid) in result.stderr


def test_two_trainings_do_not_mix_but_two_losses_may_share_a_folder(striped, tmp_path):
    settings = (
        "selection_k=1 crop_size=16 network.first_stride=2 network.width=0.05 "
        "network.dense_units=16 epochs=1"
    )
    arguments = ["train", "scenes", "--records", striped, "--output", tmp_path, "--restart"]
    arguments += [part for text in settings.split() for part in ("--set", text)]
    with held(tmp_path / "models" / "warp") as process:
        result = warptag_here(*arguments, "--loss", "warp")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert str(process.pid) in result.stderr
        assert os.listdir(tmp_path / "models" / "warp") == [LOCK_FILE]
        assert warptag_here(*arguments, "--loss", "softmax").returncode == 0
    assert "model.keras" in os.listdir(tmp_path / "models" / "softmax")
    assert LOCK_FILE not in os.listdir(tmp_path / "models" / "softmax")
