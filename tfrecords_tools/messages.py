"""Messages of both command lines: always one line, whatever characters a file name has."""

from __future__ import annotations

import os
import sys

import click


def show_usage_error(error: click.ClickException) -> None:
    """Writes what is wrong, and where help is, to standard error."""
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
    click.echo(f"Error: {printable(message)}{hint}", err=True)


def printable(text: str) -> str:
    """The text with unprintable characters, which could control a terminal, as escapes.

    Example:
        >>> printable("line\\nend")
        'line\\\\nend'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
