"""What the commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfrecords_tools.errors import InputError
from warptag.experiments import TRAINABLE, load_experiment

if TYPE_CHECKING:
    # It imports TensorFlow, which is to be imported quietly, and not for --help.
    from warptag.experiments.experiment import Experiment


def make_writable(folder: Path) -> None:
    """Make the folder, and see whether files can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".partial-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); choose another --output"
        ) from error


def import_tensorflow() -> None:
    """Import TensorFlow, quietly, with what makes it fast on CPUs."""
    from tfrecords_tools.quiet import import_tensorflow

    # Off by default on some processors, where convolutions are then two to three times slower.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import_tensorflow()


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
                help="Change a setting, such as epochs=3; may be given often.",
            ),
            click.option("--restart", is_flag=True, help="Remove the run in the folder first."),
            click.option(
                "--checkpoint-minutes",
                type=click.FloatRange(min=0),
                default=10.0,
                show_default=True,
                help="A checkpoint so often, beside that of every epoch.",
            ),
            click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard."),
            click.option("--profile", is_flag=True, help="Profile a few steps, for TensorBoard."),
        )
    ):
        command = option(command)
    return command


def train_from_options(
    name: str,
    loss: str,
    records: Path | None,
    input_dir: Path | None,
    backbone: str | None,
    weights: str | None,
    output: Path | None,
    assignments: tuple[str, ...],
    restart: bool,
    strategy: str,
    **options: Any,
) -> None:
    """Check what can be checked without TensorFlow, and train."""
    if weights is not None and backbone is None:
        raise click.UsageError("--weights needs --backbone NAME, the network that they are of")
    experiment = load_experiment(name)
    _check_input(experiment, records, input_dir)
    output = output or Path("results") / f"{name}-train"
    make_writable(output)
    from warptag.experiments.train import train_experiment

    run = train_experiment(
        experiment,
        loss,
        output,
        records=records,
        input_dir=input_dir,
        backbone=backbone,
        weights=weights,
        assignments=assignments,
        strategy=strategy,
        begin_anew="always" if restart else "never",
        say=click.echo,
        **options,
    )
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
