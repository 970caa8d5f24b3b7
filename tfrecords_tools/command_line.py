"""Running a command line: whatever happens is one message and an exit status, not a traceback."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.extras import MissingExtraError, requires
from tfrecords_tools.messages import printable, show_usage_error


def run_command_line(
    command: click.Command,
    prog_name: str,
    hint: Callable[[Exception], str] = lambda error: "",
) -> NoReturn:
    """Runs a command with the arguments of this process, and exits.

    Args:
        command: the command or group of commands.
        prog_name: the name of the program in messages.
        hint: a function of an expected error that returns the end of its message.
    """
    prepare_standard_streams()
    try:
        status = _run(command, prog_name, hint)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    error = _output_error()
    if error is not None:
        # Python would try again at exit, and print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # If the reader of the output has gone, such as `head`, there is nothing to say.
        if not isinstance(error, BrokenPipeError):
            _show(f"standard output cannot be written ({error.strerror})")
        status = status or 1
    sys.exit(status)


def prepare_standard_streams() -> None:
    """Makes the standard streams take any text, also if they are closed or not in UTF-8."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # A closed one. Opened, its number is not given to a file that TensorFlow might print
            # into.
            stream = open(os.devnull, mode)  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
        if mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(command: click.Command, prog_name: str, hint: Callable[[Exception], str]) -> int:
    """Runs a command; returns the exit status."""
    try:
        with requires("tensorflow"):
            return command.main(prog_name=prog_name, standalone_mode=False) or 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. A command that saves its progress resumes when run again.", err=True)
        return 130
    except click.ClickException as error:
        show_usage_error(error)
        return error.exit_code
    except BrokenPipeError:
        return 1
    except UnicodeEncodeError as error:
        if sys.getfilesystemencoding() == "utf-8":
            raise
        _show(f"the locale has no file names such as {error.object!r}; set PYTHONUTF8=1")
        return 1
    except (InputError, MissingExtraError, OSError) as error:
        if not isinstance(error, OSError) or _output_error() is None:
            _show(f"{error}{hint(error)}")
        return 1
    except Exception as error:
        # TensorFlow's own errors, as of records damaged while they are read, are not OSErrors.
        if not type(error).__module__.startswith("tensorflow"):
            raise
        _show(
            f"TensorFlow failed: {str(error).splitlines()[0]}. If a record is damaged, "
            "`python -m tfrecords_tools verify DIR` names its file."
        )
        return 1


def _show(message: str) -> None:
    click.echo(f"Error: {printable(message)}", err=True)


def _output_error() -> OSError | None:
    """Why standard output cannot be written, or None if it can."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None
