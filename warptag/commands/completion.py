"""`warptag completion`: a shell script that completes commands, options and values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and values in SHELL with the tab key.

    \b
    Examples:
      eval "$(warptag completion bash)"  # for this session; in ~/.bashrc for every session
      warptag completion fish > ~/.config/fish/completions/warptag.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root()
    click.echo(kind(root.command, {}, "warptag", "_WARPTAG_COMPLETE").source())
