"""What both command lines show of a command that is wrong: one line with a hint."""

from __future__ import annotations

import os
import sys

import click


def show_usage_error(error: click.ClickException) -> None:
    """Write what is wrong and where help is to standard error."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    message = " ".join(error.format_message().split()).rstrip(".")
    hint = ""
    context = getattr(error, "ctx", None)
    if any(name.startswith("-") and os.path.lexists(name) for name in sys.argv[1:]):
        hint = " (a file name that begins with a dash goes after --)"
    elif context is not None:
        hint = f" (see {context.command_path} --help)"
    click.echo(f"Error: {message}{hint}", err=True)
