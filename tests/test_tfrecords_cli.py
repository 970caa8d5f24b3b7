"""The command line as a user meets it: exit statuses, one-line messages, interruption."""

import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import tfrecords_tools_here
from tfrecords_fixtures import jpeg, write_corel5k, write_nuswide

from tfrecords_tools.schema import INFO_FILE, DatasetInfo

COMMAND = [sys.executable, "-m", "tfrecords_tools"]


def process(*arguments):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_convert_verify_info(tmp_path):
    folder, records = write_corel5k(tmp_path), tmp_path / "records"
    image = folder / "db" / "train" / "1003.jpeg"
    image.write_bytes(image.read_bytes()[:-200])
    arguments = ("convert", "corel5k", "--input", folder, "--output", records, "--size", 8)

    converted = process(*arguments, "--max-rejected", 0.2)
    assert (converted.returncode, converted.stderr) == (0, "")
    assert "train: 2 images" in converted.stdout
    assert "validation: 1 images" in converted.stdout
    assert "damaged images left out: 1, see rejected.csv" in converted.stdout
    info = process("info", records)
    assert (info.returncode, info.stderr) == (0, "")
    assert info.stdout.startswith(converted.stdout)
    assert info.stdout.endswith(f"{records}/info/samples.png\n")

    assert tfrecords_tools_here("verify", records).returncode == 0
    (records / "test-00000-of-00002.tfrecord").unlink()
    broken = tfrecords_tools_here("verify", records)
    assert broken.returncode == 1
    assert broken.stdout.startswith("test-00000-of-00002.tfrecord: missing\n")


def test_missing_images_are_said(tmp_path):
    folder = write_nuswide(tmp_path, num_missing=10)
    converted = tfrecords_tools_here(
        *("convert", "nuswide", "--input", folder, "--output", tmp_path / "records"),
        *("--split", "official", "--workers", 1),
    )
    assert converted.returncode == 0
    assert converted.stderr == "train: 8 images are not in the input folder, left out\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("convert", "flickr", "--output", "x"), "'scenes', 'corel5k', 'nuswide'"),
        (("convert", "corel5k", "--output", "x"), "corel5k needs --input DIR"),
        (("convert", "corel5k", "--input", "x"), "Missing option '--output'"),
        (
            ("convert", "corel5k", "--input", "x", "--output", "x", "--train", "5"),
            "--train is no option of corel5k",
        ),
        (
            ("convert", "corel5k", "--input", "x", "--output", "x", "--validation-share", "1"),
            "1.0 is not in the range 0<x<1",
        ),
        (
            ("convert", "scenes", "--output", "x", "--validation-share", "0.2"),
            "--validation-share needs --validation 0",
        ),
        (
            ("convert", "scenes", "--output", "x", "--size", "keep"),
            "--size keep is no option of scenes",
        ),
        (
            ("convert", "corel5k", "--input", "x", "--output", "x", "--size", "big"),
            "'big' is not a valid integer",
        ),
        (
            ("convert", "corel5k", "--input", "x", "--output", "x", "--", "--more"),
            "unexpected argument '--more'",
        ),
    ],
)
def test_usage_errors(arguments, message):
    result = tfrecords_tools_here(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("convert", "corel5k", "--input", "nowhere", "--output", "x"),
        ("verify", "nowhere"),
        ("info", "nowhere"),
    ],
)
def test_missing_folder_is_one_line(arguments):
    result = tfrecords_tools_here(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: nowhere is not")
    assert result.stderr.count("\n") == 1


def process_group_ends(group):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def many_photographs(tmp_path, count):
    """Corel5K's folder with `count` links to one photograph that takes a while to resize."""
    folder = write_corel5k(tmp_path)
    original = folder / "db" / "train" / "1000.jpeg"
    original.write_bytes(jpeg(0, 300, 400))
    with (folder / "labels" / "training_label").open("a") as labels:
        for image_id in range(10_000, 10_000 + count):
            os.link(original, original.with_name(f"{image_id}.jpeg"))
            labels.write(f"{image_id} 1\n")
    return folder


@pytest.mark.skipif(os.name != "posix", reason="signals to process groups")
@pytest.mark.parametrize(("sign", "status"), [("SIGINT", 130), ("SIGKILL", -9)])
def test_stopped_on_the_way_and_resumed(tmp_path, sign, status):
    folder, records = many_photographs(tmp_path, 500), tmp_path / "records"
    arguments = ["convert", "corel5k", "--input", folder, "--output", records, "--size", "32"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    while not list(records.glob("train-00001-of-*.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    if sign == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        process.kill()
    _, errors = process.communicate(timeout=20)

    assert process.returncode == status
    assert "Traceback" not in errors
    assert process_group_ends(process.pid)
    assert not (records / INFO_FILE).exists()

    first = records / "train-00000-of-00008.tfrecord"
    made = first.stat().st_mtime_ns
    assert tfrecords_tools_here(*arguments).returncode == 0
    assert first.stat().st_mtime_ns == made
    arguments[5] = tmp_path / "undisturbed"
    assert tfrecords_tools_here(*arguments).returncode == 0
    assert {path.name: path.read_bytes() for path in records.iterdir()} == {
        path.name: path.read_bytes() for path in arguments[5].iterdir()
    }


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes")
def test_full_disk(tmp_path):
    """A limit of a file's size makes writing fail as a full disk does."""
    folder, records = many_photographs(tmp_path, 40), tmp_path / "records"
    arguments = ["convert", "corel5k", "--input", folder, "--output", records, "--size", "256"]
    command = [*COMMAND, *map(str, arguments), "--workers", "1"]
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 100; exec "$@"', "-", *command],  # 100 KiB
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert limited.returncode == 1
    assert limited.stderr.startswith(f"Error: {records}/train-00000-of-00007.tfrecord cannot be")
    assert "free some space" in limited.stderr and "Traceback" not in limited.stderr
    assert not list(records.glob("*.tfrecord")) and not list(records.glob(".partial-*"))
    assert tfrecords_tools_here(*arguments).returncode == 0


def test_sizes(tmp_path):
    folder = write_corel5k(tmp_path)
    shapes = {}
    for name, options in {
        "usual": [],
        "kept": ["--size", "keep"],
        "shorter": ["--size", "6", "--shorter-side"],
    }.items():
        output = tmp_path / name
        arguments = ("convert", "corel5k", "--input", folder, "--output", output, "--workers", 1)
        assert tfrecords_tools_here(*arguments, *options).returncode == 0
        settings = DatasetInfo.load(output).settings
        shapes[name] = (settings["size"], settings["shorter_side"])
        assert (settings["resampling"], settings["jpeg_quality"]) == ("bicubic", 95)
    assert shapes == {"usual": (256, False), "kept": (None, False), "shorter": (6, True)}
