"""The `warptag` command line: runs a command, and reports an error as a one-line message."""

from __future__ import annotations

import os
import sys

import click

import warptag
from tfrecords_tools.errors import InputError
from tfrecords_tools.extras import MissingExtraError
from tfrecords_tools.messages import printable, show_usage_error
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
    """Run the command line; an expected error is one line on standard error, not a traceback."""
    try:
        sys.exit(cli.main(prog_name="warptag", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. A command that saves its progress resumes when run again.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        show_usage_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of the output has gone, such as `head`; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (InputError, MissingExtraError, OSError) as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        sys.exit(1)
    except Exception as error:
        # TensorFlow's own errors, as of records damaged while they are read, are not OSErrors.
        if not type(error).__module__.startswith("tensorflow"):
            raise
        click.echo(
            f"Error: TensorFlow failed: {str(error).splitlines()[0]}. If a record is damaged, "
            "`python -m tfrecords_tools verify DIR` names its file.",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
