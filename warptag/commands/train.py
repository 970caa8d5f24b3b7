"""`warptag train`: one network, on whatever hardware there is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from warptag.commands.common import import_tensorflow, make_writable
from warptag.experiments import TRAINABLE, load_experiment

if TYPE_CHECKING:
    # It imports TensorFlow, which is to be imported quietly, and not for --help.
    from warptag.experiments.experiment import Experiment


def training_options(command: Callable) -> Callable:
    """The argument and the options of every command that trains one network."""
    for option in reversed(
        (
            click.argument("name", metavar="EXPERIMENT", type=click.Choice(TRAINABLE)),
            click.option(
                "--loss",
                type=click.Choice(["softmax", "ranking", "warp"]),
                default="warp",
                show_default=True,
                help="What is minimized.",
            ),
            click.option(
                "--records",
                type=click.Path(path_type=Path),
                help="Records to train on, instead of the experiment's own data.",
            ),
            click.option(
                "--input",
                "input_dir",
                type=click.Path(path_type=Path),
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
                help="What the backbone starts from; default random weights.",
            ),
            click.option(
                "--output",
                type=click.Path(path_type=Path),
                help="Folder of the run; default results/EXPERIMENT-train.",
            ),
            click.option(
                "--set",
                "assignments",
                multiple=True,
                metavar="KEY=VALUE",
                help="Change a setting, such as epochs=3; may be given several times.",
            ),
            click.option("--restart", is_flag=True, help="Remove the run in the folder first."),
            click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard."),
            click.option("--profile", is_flag=True, help="Profile a few steps, for TensorBoard."),
        )
    ):
        command = option(command)
    return command


@click.command()
@training_options
def train(**options) -> None:
    """Train the network of EXPERIMENT (scenes, corel5k, nuswide, or folder for photographs of your
    own), or resume.

    The same command given again resumes after the last finished epoch. With KERAS_BACKEND=jax or
    torch it trains on that backend; with TF_CONFIG as part of a cluster with parameter servers.

    \b
    Examples:
      warptag train scenes --loss warp --set epochs=4
      warptag train folder --input PHOTOS --output MINE
      warptag train corel5k --records RECORDS --output RUN --set learning_rate=0.01
      warptag train scenes --backbone MobileNetV2 --set crop_size=64
    """
    import_tensorflow()
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
    restart: bool,
    **options: Any,
) -> None:
    """Trains as the options of `training_options` say."""
    if weights is not None and backbone is None:
        raise click.UsageError("--weights needs --backbone NAME, the network that they belong to")
    experiment = load_experiment(name)
    _check_input(experiment, records, input_dir)
    output = output or Path("results") / f"{name}-train"
    make_writable(output)
    from warptag.experiments.train import train_experiment
    from warptag.training import OtherRun

    try:
        run = train_experiment(
            experiment,
            loss,
            output,
            records=records,
            input_dir=input_dir,
            backbone=backbone,
            weights=weights,
            on_existing="replace" if restart else "refuse",
            logging=click.echo,
            **options,
        )
    except OtherRun as error:
        raise OtherRun(f"{error}; choose another --output, or replace it with --restart") from None
    click.echo(
        f"See how well it tags: warptag report {output}"
        + (f" --records {records}" if records is not None else "")
        + f"\nTag photographs:      warptag annotate PHOTOGRAPHS --model {run}"
    )


def _check_input(experiment: Experiment, records: Path | None, input_dir: Path | None) -> None:
    if records is not None and input_dir is not None:
        raise click.UsageError("--records and --input exclude each other")
    if experiment.needs_input and records is None and input_dir is None:
        raise click.UsageError(
            f"{experiment.name} needs --input DIR, the folder of the original pictures, or "
            "--records DIR"
        )
    if not experiment.needs_input and input_dir is not None:
        raise click.UsageError(f"{experiment.name} renders its own pictures and takes no --input")
