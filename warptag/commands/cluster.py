"""`warptag cluster`: asynchronous training by several processes on this machine, to try it out."""

from __future__ import annotations

import os

import click

from warptag.commands.common import import_tensorflow, show_progress
from warptag.commands.train import run_training, training_options

#: Each is a Python with TensorFlow, of about half a gigabyte.
PROCESSES = click.IntRange(1, 64)


@click.command()
@training_options
@click.option("--workers", type=PROCESSES, default=4, show_default=True, help="Number of workers.")
@click.option(
    "--ps",
    "num_parameter_servers",
    type=PROCESSES,
    default=2,
    show_default=True,
    help="Number of parameter servers.",
)
def cluster(workers: int, num_parameter_servers: int, **options) -> None:
    """Train the network of EXPERIMENT by asynchronous SGD, as in the paper, with several processes
    on this machine: workers, parameter servers, and this process, which coordinates them.

    A worker that is killed is restarted, and training continues. On several machines, run
    `warptag train EXPERIMENT` with TF_CONFIG on each.

    \b
    Example:
      warptag cluster scenes --workers 2 --ps 1
    """
    import_tensorflow()
    show_progress()
    from warptag.training.asynchronous import LocalCluster

    with LocalCluster(workers, num_parameter_servers, logging=click.echo) as local:
        for name, process in local.processes.items():
            click.echo(f"{name}: process {process.pid}")
        os.environ["TF_CONFIG"] = local.task.to_json()
        run_training(**options)
