"""The command line as a user meets it: exit statuses, one-line messages, interruption."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tfrecords_fixtures import jpeg, write_corel5k, write_nuswide

from tfrecords_tools.convert import convert
from tfrecords_tools.schema import INFO_FILE
from tfrecords_tools.sources.corel5k import Corel5K
from tfrecords_tools.verify import verify

COMMAND = [sys.executable, "-m", "tfrecords_tools"]


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


def test_convert_verify_info(tmp_path):
    folder, records = write_corel5k(tmp_path), tmp_path / "records"
    image = folder / "db" / "train" / "1004.jpeg"
    image.write_bytes(image.read_bytes()[:-200])
    arguments = ("convert", "corel5k", "--input", folder, "--output", records, "--size", 8)

    converted = run(*arguments, "--max-rejected", 0.2)
    assert (converted.returncode, converted.stderr) == (0, "")
    assert "train: 3 images" in converted.stdout
    assert "damaged images left out: 1, see rejected.csv" in converted.stdout
    assert run("info", records).stdout == converted.stdout

    assert run("verify", records).returncode == 0
    (records / "test-00000-of-00002.tfrecord").unlink()
    broken = run("verify", records)
    assert broken.returncode == 1
    assert broken.stdout.startswith("test-00000-of-00002.tfrecord: missing\n")


def test_missing_images_are_said(tmp_path):
    folder = write_nuswide(tmp_path, num_missing=10)
    converted = run(
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
    ],
)
def test_usage_errors(arguments, message):
    result = run(*arguments)
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
    result = run(*arguments)
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


@pytest.mark.skipif(os.name != "posix", reason="signals to process groups")
@pytest.mark.parametrize(("sign", "status"), [("SIGINT", 130), ("SIGKILL", -9)])
def test_stopped_on_the_way(tmp_path, sign, status):
    folder, records = write_corel5k(tmp_path), tmp_path / "records"
    original = folder / "db" / "train" / "1000.jpeg"
    original.write_bytes(jpeg(0, 300, 400))
    with (folder / "labels" / "training_label").open("a") as labels:
        for image_id in range(10_000, 13_000):
            os.link(original, original.with_name(f"{image_id}.jpeg"))
            labels.write(f"{image_id} 1\n")
    process = subprocess.Popen(
        [*COMMAND, "convert", "corel5k", "--input", folder, "--output", records]
        + ["--size", "32", "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    while not list(records.glob("train-00001.tfrecord.partial")):
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
    assert not list(records.glob("*.tfrecord"))

    (folder / "labels" / "training_label").write_text("1000 1\n")
    for image in original.parent.iterdir():
        if image != original:
            image.unlink()
    source = Corel5K(folder, size=32)
    convert(source, records, name="corel5k", settings=source.settings, workers=1)
    assert verify(records) == []
