"""The commands in this process, which has TensorFlow already: seconds faster than a process."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

import tfrecords_tools.__main__
import warptag.cli


def warptag_here(*arguments) -> CompletedProcess:
    """What `warptag ARGUMENTS` prints, and its exit status."""
    return _call(warptag.cli.main, "warptag", *map(str, arguments))


def tfrecords_tools_here(*arguments) -> CompletedProcess:
    """What `python -m tfrecords_tools ARGUMENTS` prints, and its exit status."""
    return _call(tfrecords_tools.__main__.main, "__main__.py", *map(str, arguments))


def _call(main, *command: str) -> CompletedProcess:
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
        pytest.raises(SystemExit) as end,
    ):
        patch.setattr(sys, "argv", list(command))
        main()
    return CompletedProcess(command, end.value.code or 0, output.getvalue(), errors.getvalue())
