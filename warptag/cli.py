"""The command line: `warptag`. Commands are in `warptag.commands`; here errors become messages."""

from __future__ import annotations

import os
import sys

import click

import warptag
from tfrecords_tools.errors import InputError
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
    """Teach a machine to tag photographs, and compare the losses that do it."""


COMMANDS = (reproduce, report, train, cluster, evaluate, annotate, demo, export, completion)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line; an error is one line on standard error, never a traceback."""
    try:
        sys.exit(cli.main(prog_name="warptag", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped; the same command resumes where it can.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        show_usage_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # What reads our output wants no more, as `head`; Python would complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (InputError, OSError) as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        sys.exit(1)
    except Exception as error:
        # TensorFlow's own errors, such as records damaged while they are read, are no OSError.
        if not type(error).__module__.startswith("tensorflow"):
            raise
        click.echo(
            f"Error: TensorFlow stopped: {str(error).splitlines()[0]}; if records are damaged, "
            "`python -m tfrecords_tools verify DIR` names the file",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
