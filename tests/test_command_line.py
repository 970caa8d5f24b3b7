"""What both command lines share: refused values of options, and odd standard streams."""

import os
import subprocess
import sys

import click
import pytest
from command_line import tfrecords_tools_here, warptag_here

import tfrecords_tools.__main__
import warptag.cli
from tfrecords_tools.errors import InputError
from warptag.commands.assignments import KINDS, NETWORK, assign
from warptag.experiments import EXPERIMENTS
from warptag.training import TrainingSettings
from warptag.training.settings import RANGES

SENSELESS = ("nan", "inf", "-inf", "-1", "9" * 20, "1e300", "")
PARAMETERS = {
    f"{command.name} {parameter.opts[0]}": parameter
    for group in (warptag.cli.cli, tfrecords_tools.__main__.cli)
    for command in group.commands.values()
    for parameter in command.params
}


def refused(parameter, value):
    try:
        parameter.type(value, parameter)
    except click.BadParameter:
        return True
    return False


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_option_refuses_numbers_out_of_range_and_empty_paths(name):
    parameter = PARAMETERS[name]
    if isinstance(parameter.type, click.Path):
        assert refused(parameter, "")
    elif not isinstance(parameter.type, (click.Choice, click.types.StringParamType)):
        is_flag = isinstance(parameter.type, click.types.BoolParamType)
        assert is_flag or all(refused(parameter, value) for value in SENSELESS)


@pytest.mark.parametrize("key", [*RANGES, *NETWORK])
def test_a_setting_refuses_numbers_out_of_range(key):
    assert key in KINDS
    for value in SENSELESS:
        if (key, value) != ("decay_at", ""):  # the rate is never reduced
            with pytest.raises(InputError, match=f"--set.*{key}"):
                assign(EXPERIMENTS["scenes"].networks, TrainingSettings(), [f"{key}={value}"])


@pytest.mark.parametrize(
    "settings", [{"epochs": 2.5}, {"epochs": True}, {"seed": "1"}, {"flip": "false"}]
)
def test_a_setting_refuses_other_types(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        TrainingSettings(**settings)


@pytest.mark.parametrize(
    "command",
    [
        "warptag annotate x --model x --format csv --output .",
        "warptag evaluate x --records x --output .",
        "tfrecords_tools convert folder --input x --output x --size 70000",
    ],
)
def test_a_value_that_no_command_can_use_is_one_message(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    program, *arguments = command.split()
    here = {"warptag": warptag_here, "tfrecords_tools": tfrecords_tools_here}[program]
    result = here(*arguments)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert arguments[-2] in result.stderr and not os.listdir(tmp_path)


PRINTING = """
import click, os, sys
from tfrecords_tools.command_line import run_command_line

@click.command()
@click.argument("number", type=int)
def show(number):
    for _ in range(number):
        print("caf\\u00e9 \\u4e2d \\udcff")
    sys.stderr.write("done \\u4e2d")

run_command_line(show, "show")
"""


def run_with_streams(redirections, number=3, **environment):
    command = f'exec "$0" -c "$1" {number} {redirections}'
    return subprocess.run(
        ["bash", "-c", command, sys.executable, PRINTING],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize("redirections", ["", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_standard_streams_may_be_closed_or_in_any_encoding(redirections, encoding):
    result = run_with_streams(redirections, PYTHONIOENCODING=encoding)
    assert result.returncode == 0
    assert b"Traceback" not in result.stderr
    if not redirections:
        assert result.stdout.startswith("café".encode(encoding, "backslashreplace"))


@pytest.mark.parametrize("number", [1, 100_000])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_ends_the_command_without_a_message(number, unbuffered):
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-c", PRINTING, str(number)],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        timeout=60,
    )
    os.close(write)
    assert result.returncode == 1
    assert result.stderr.decode() in ("", "done 中")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("number", [1, 100_000])
def test_output_that_cannot_be_written_is_one_message(number):
    result = run_with_streams(">/dev/full", number)
    assert result.returncode == 1
    assert b"No space left" in result.stderr and b"Traceback" not in result.stderr


def test_a_file_name_that_the_locale_lacks_is_one_message_with_the_remedy():
    code = PRINTING.replace("for _ in", "os.stat('\\u4e2d')\n    for _ in")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run(
        [sys.executable, "-c", code, "1"],
        capture_output=True,
        env={**os.environ, **ascii_only},
        timeout=60,
    )
    assert result.returncode == 1 and b"Traceback" not in result.stderr
    assert b"PYTHONUTF8=1" in result.stderr


def test_the_package_runs_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "warptag", "--version"], capture_output=True, text=True, timeout=100
    )
    assert result.stdout.startswith("warptag, version "), result.stderr
