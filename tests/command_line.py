"""The commands in this process, which has TensorFlow already: seconds faster than a process."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from warptag.cli import main


def warptag(*arguments) -> subprocess.CompletedProcess:
    """What `warptag ARGUMENTS` prints, and its exit status."""
    command = ["warptag", *map(str, arguments)]
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
        pytest.raises(SystemExit) as end,
    ):
        patch.setattr(sys, "argv", command)
        main()
    return subprocess.CompletedProcess(
        command, end.value.code or 0, output.getvalue(), errors.getvalue()
    )
