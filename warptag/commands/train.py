"""`warptag train`: trains one network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any

import click

from tfrecords_tools.options import PATH
from warptag.commands.common import import_tensorflow, make_writable, show_progress
from warptag.commands.reproduce import check_input
from warptag.experiments import EXPERIMENTS
from warptag.methods import LOSSES

TRAINABLE = [name for name, experiment in EXPERIMENTS.items() if experiment.networks is not None]


def training_options(command: Callable) -> Callable:
    """Adds the argument and the options that `train` and `cluster` share."""
    for option in reversed(
        (
            click.argument("name", metavar="EXPERIMENT", type=click.Choice(TRAINABLE)),
            click.option(
                "--loss",
                type=click.Choice(LOSSES),
                default="warp",
                show_default=True,
                help="Loss to minimize.",
            ),
            click.option(
                "--records",
                type=PATH,
                help="Records to train on, instead of the experiment's own data.",
            ),
            click.option(
                "--input",
                "input_dir",
                type=PATH,
                help="Folder of the data set (corel5k, nuswide) or of photographs (folder).",
            ),
            click.option(
                "--backbone",
                metavar="NAME",
                help="Network of keras.applications instead of the paper's, such as MobileNetV2.",
            ),
            click.option(
                "--weights",
                metavar="imagenet|FILE",
                help="Initial weights of the backbone; default random.",
            ),
            click.option(
                "--output",
                type=PATH,
                help="Folder of the run; default results/EXPERIMENT-train.",
            ),
            click.option(
                "--set",
                "assignments",
                multiple=True,
                metavar="KEY=VALUE",
                help="Change a setting, such as epochs=3; may be given several times.",
            ),
            click.option("--restart", is_flag=True, help="Replace a run in the folder."),
            click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard."),
            click.option("--profile", is_flag=True, help="Profile a few steps for TensorBoard."),
        )
    ):
        command = option(command)
    return command


@click.command()
@training_options
def train(**options) -> None:
    """Train the network of EXPERIMENT: scenes, corel5k, nuswide, or folder for your own
    photographs.

    An interrupted run resumes after its last finished epoch when the same command is run again.
    Set KERAS_BACKEND to jax or torch to train on that backend, and TF_CONFIG to take part in a
    cluster with parameter servers.

    \b
    Examples:
      warptag train scenes --loss warp --set epochs=4
      warptag train folder --input PHOTOS --output MINE
      warptag train corel5k --records RECORDS --output RUN --set learning_rate=0.01
      warptag train scenes --backbone MobileNetV2 --set crop_size=64
    """
    import_tensorflow()
    show_progress()
    if os.environ.get("TF_CONFIG"):
        from warptag.training.asynchronous import serve, this_task

        task = this_task()
        if task is not None and task.type != "chief":
            serve(task)
    run_training(**options)


def run_training(
    name: str,
    loss: str,
    records: Path | None,
    input_dir: Path | None,
    weights: str | None,
    backbone: str | None,
    output: Path | None,
    assignments: tuple[str, ...],
    restart: bool,
    **options: Any,
) -> None:
    """Trains a network, given the values of `training_options`."""
    if weights is not None and backbone is None:
        raise click.UsageError("--weights needs --backbone NAME, the network they belong to")
    check_input(name, input_dir, records)
    output = output or Path("results") / f"{name}-train"
    make_writable(output)
    from warptag.commands.assignments import assign
    from warptag.pipeline.networks import settings_of
    from warptag.pipeline.train import train_network, with_backbone, with_crop_size
    from warptag.training import OtherRun

    experiment = EXPERIMENTS[name]
    choices = experiment.networks
    assert choices is not None
    settings = settings_of(choices, loss)
    if backbone is not None:
        choices = with_backbone(choices, backbone, weights)
    choices, settings = assign(choices, settings, assignments)
    try:
        run = train_network(
            with_crop_size(experiment, choices),
            settings,
            output,
            records=records,
            input_dir=input_dir,
            on_existing="replace" if restart else "refuse",
            **options,
        )
    except OtherRun as error:
        raise OtherRun(f"{error}; choose another --output, or replace it with --restart") from None
    click.echo(
        f"Make a report page: warptag report {quote(str(output))}"
        + (f" --records {quote(str(records))}" if records is not None else "")
        + f"\nTag photographs:    warptag annotate PHOTOGRAPHS --model {quote(str(run))}"
    )
