"""The command line as a user meets it: exit statuses, one-line messages, interruption."""

import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import tfrecords_tools_here
from tfrecords_fixtures import contents, jpeg, write_corel5k

from tfrecords_tools.schema import INFO_FILE

#: With a handler for interrupts, since a shell may make its processes ignore them.
CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from tfrecords_tools.__main__ import main; main()"
)


def command(*arguments):
    # Worker processes import this `__main__` too.
    return [sys.executable, "-c", CODE, *map(str, arguments)]


def convert_corel5k(folder, output, *options):
    arguments = ("corel5k", "--input", folder, "--output", output, "--workers", 1, *options)
    return tfrecords_tools_here("convert", *arguments)


def test_convert_verify_info(tmp_path):
    folder, records = write_corel5k(tmp_path), tmp_path / "records"
    image = folder / "db" / "train" / "1003.jpeg"
    image.write_bytes(image.read_bytes()[:-200])
    converted = convert_corel5k(folder, records, "--size", 8, "--max-rejected", 0.2)
    assert (converted.returncode, converted.stderr) == (0, "")
    assert "train: 2 images" in converted.stdout
    assert "validation: 1 images" in converted.stdout
    assert "damaged images left out: 1" in converted.stdout
    info = tfrecords_tools_here("info", records)
    assert (info.returncode, info.stderr) == (0, "")
    assert info.stdout.startswith(converted.stdout)
    assert info.stdout.endswith(f"{records}/info/samples.png\n")

    assert tfrecords_tools_here("verify", records).returncode == 0
    (records / "test-00000-of-00002.tfrecord").unlink()
    broken = tfrecords_tools_here("verify", records)
    assert broken.returncode == 1
    assert broken.stdout.startswith("test-00000-of-00002.tfrecord: missing\n")


def test_errors_are_one_line_with_the_option_that_helps(tmp_path):
    folder, records = write_corel5k(tmp_path), tmp_path / "records"
    for path in (folder / "db" / "test").iterdir():
        path.write_bytes(b"")
    assert "--max-rejected" in convert_corel5k(folder, records, "--max-rejected", 0.1).stderr
    (folder / "db" / "test" / "2000.jpeg").write_bytes(jpeg(2000))
    assert convert_corel5k(folder, records).returncode == 0
    other = convert_corel5k(folder, records, "--size", 8)
    assert other.returncode == 1
    assert "--overwrite" in other.stderr and other.stderr.count("\n") == 1
    next(records.glob("*.tfrecord")).unlink()
    for result in (convert_corel5k(folder, records), tfrecords_tools_here("info", records)):
        assert result.returncode == 1
        assert "`verify`" in result.stderr and result.stderr.count("\n") == 1


INPUT = ("convert", "corel5k", "--input", "x", "--output", "x")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("convert", "flickr", "--output", "x"), "'scenes', 'corel5k', 'nuswide'"),
        (("convert", "corel5k", "--output", "x"), "--input DIR"),
        (("convert", "corel5k", "--input", "x"), "--output"),
        ((*INPUT, "--train", "5"), "--train is not an option of corel5k"),
        ((*INPUT, "--validation-share", "1"), "--validation-share"),
        (("convert", "scenes", "--output", "x", "--validation-share", "0.2"), "--validation 0"),
        (("convert", "scenes", "--output", "x", "--size", "keep"), "--size keep"),
        ((*INPUT, "--size", "big"), "'big'"),
        ((*INPUT, "--size", "keep", "--shorter-side"), "--shorter-side"),
        ((*INPUT, "--", "--more"), "'--more'"),
    ],
)
def test_usage_errors(arguments, option):
    result = tfrecords_tools_here(*arguments)
    assert result.returncode == 2
    assert option in result.stderr


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


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv[1:] = ['--help']; from tfrecords_tools.__main__ import cli; "
        "cli(standalone_mode=False); "
        "print({'numpy', 'PIL', 'tensorflow', 'matplotlib', 'urllib3', 'warptag'} & {*sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "nuswide-download" in shown and shown.endswith("set()\n")


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


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return many_photographs(tmp_path_factory.mktemp("many"), 300)


@pytest.fixture(scope="module")
def undisturbed(photographs):
    output = photographs.parent / "undisturbed"
    assert convert_corel5k(photographs, output, "--size", 32).returncode == 0
    return contents(output)


@pytest.mark.skipif(os.name != "posix", reason="signals to process groups")
@pytest.mark.parametrize(
    ("sign", "status"),
    [("SIGINT", 130), pytest.param("SIGKILL", -9, marks=pytest.mark.slow)],
)
def test_stopped_and_resumed(tmp_path, photographs, undisturbed, sign, status):
    records = tmp_path / "records"
    arguments = ("convert", "corel5k", "--input", photographs, "--output", records, "--size", 32)
    process = subprocess.Popen(
        command(*arguments, "--workers", 2),
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
    if sign == "SIGINT":
        # TensorFlow's own messages are not shown either.
        assert errors.strip().startswith("Stopped") and errors.strip().count("\n") == 0
    assert process_group_ends(process.pid)
    assert not (records / INFO_FILE).exists()

    first = records / "train-00000-of-00008.tfrecord"
    made = first.stat().st_mtime_ns
    assert convert_corel5k(photographs, records, "--size", 32).returncode == 0
    assert first.stat().st_mtime_ns == made
    assert contents(records) == undisturbed


@pytest.mark.skipif(os.name != "posix", reason="limits of file sizes")
def test_full_disk(tmp_path):
    """A limit on a file's size makes writing fail as a full disk does."""
    import resource

    folder, records = many_photographs(tmp_path, 40), tmp_path / "records"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        limited = convert_corel5k(folder, records)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert limited.returncode == 1
    assert limited.stderr.startswith(f"Error: {records}/train-00000-of-00007.tfrecord cannot be")
    assert limited.stderr.count("\n") == 1
    assert not list(records.glob("*.tfrecord")) and not list(records.glob(".partial-*"))
    assert convert_corel5k(folder, records).returncode == 0
