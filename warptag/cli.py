"""The `warptag` command line."""

from __future__ import annotations

import click

import warptag
from tfrecords_tools.command_line import run_command_line
from warptag.commands.annotate import annotate
from warptag.commands.cluster import cluster
from warptag.commands.completion import completion
from warptag.commands.demo import demo
from warptag.commands.evaluate import evaluate
from warptag.commands.export import export
from warptag.commands.report import report
from warptag.commands.reproduce import reproduce
from warptag.commands.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(warptag.__version__, prog_name="warptag")
def cli() -> None:
    """Train networks that tag photographs, and compare the losses they are trained with."""


COMMANDS = (reproduce, report, train, cluster, evaluate, annotate, demo, export, completion)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Runs the command line; an error is one line on standard error, never a traceback."""
    run_command_line(cli, "warptag")


if __name__ == "__main__":
    main()
