"""`warptag train`: trains one network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.options import PATH
from warptag.commands.common import (
    WEIGHTS_HINT,
    import_tensorflow,
    make_writable,
    show_progress,
)
from warptag.commands.reproduce import check_input
from warptag.experiments import EXPERIMENTS
from warptag.experiments.pretrained import BACKBONE
from warptag.methods import LOSSES

#: The settings that the search chooses.
SEARCHED = {"learning_rate", "weight_decay", "normalization"}
TRAINABLE = [name for name, experiment in EXPERIMENTS.items() if experiment.networks is not None]


def training_options(command: Callable) -> Callable:
    """Adds the argument and the options that `train` and `cluster` share."""
    for option in reversed(
        (
            click.argument("name", metavar="EXPERIMENT", type=click.Choice(TRAINABLE)),
            click.option(
                "--loss",
                type=click.Choice(list(LOSSES)),
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
                help="Pretrained network of keras.applications; default MobileNetV2 for folder.",
            ),
            click.option(
                "--weights",
                metavar="imagenet|FILE",
                help="Weights of the pretrained network; default imagenet, which is downloaded.",
            ),
            click.option(
                "--from-scratch",
                is_flag=True,
                help="Train the paper's network, or the backbone, from random weights.",
            ),
            click.option(
                "--finetune",
                is_flag=True,
                help="Then train the whole pretrained network too; for GPUs, or patience.",
            ),
            click.option(
                "--no-search",
                is_flag=True,
                help="Do not choose learning rate and weight decay on validation images.",
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
            click.option(
                "--restart",
                is_flag=True,
                help="Replace a run in the folder; with --finetune, the second one.",
            ),
            click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard."),
            click.option("--profile", is_flag=True, help="Profile a few steps for TensorBoard."),
        )
    ):
        command = option(command)
    return command


@click.command()
@training_options
def train(**options) -> None:
    """Train a network on EXPERIMENT: folder for your own photographs, scenes, corel5k or nuswide.

    With folder, or with --backbone, a network that was trained on ImageNet computes the features of
    every photograph once, and a small head over them is trained. Otherwise the paper's network is
    trained from random weights.

    An interrupted run resumes when the same command is run again. Set KERAS_BACKEND to jax or torch
    to train on that backend, and TF_CONFIG to take part in a cluster with parameter servers.

    \b
    Examples:
      warptag train folder --input PHOTOS --output MINE
      warptag train folder --input PHOTOS --output MINE --finetune
      warptag train scenes --loss warp --set epochs=4
      warptag train corel5k --records RECORDS --output RUN --set learning_rate=0.01
      warptag train corel5k --input DIR --backbone EfficientNetV2B0
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
    output: Path | None,
    assignments: tuple[str, ...],
    restart: bool,
    weights: str | None,
    backbone: str | None,
    from_scratch: bool,
    finetune: bool,
    no_search: bool,
    **options: Any,
) -> None:
    """Trains a network, given the values of `training_options`."""
    if not from_scratch and name == "folder":
        backbone = backbone or BACKBONE
    pretrained = backbone is not None and not from_scratch
    _check_options(
        pretrained, from_scratch, weights=weights, finetune=finetune, no_search=no_search
    )
    check_input(name, input_dir, records)
    output = output or Path("results") / f"{name}-train"
    make_writable(output)
    from warptag.commands.assignments import assign
    from warptag.models import IMAGENET, WeightsNotDownloaded
    from warptag.pipeline import train as pipeline
    from warptag.pipeline.networks import settings_of
    from warptag.training import OtherRun

    experiment = EXPERIMENTS[name]
    choices = experiment.networks
    assert choices is not None
    if pretrained:
        assert backbone is not None
        choices = pipeline.with_pretrained(choices, backbone, weights or IMAGENET)
    elif backbone is not None:
        choices = pipeline.with_backbone(choices, backbone)
    tuning = pipeline.fine_tuning_settings(loss) if finetune else None
    settings = settings_of(choices, loss)
    if tuning:
        choices, tuning = assign(choices, tuning, assignments, fine_tuning=True)
    else:
        choices, settings = assign(choices, settings, assignments)
    experiment = pipeline.with_crop_size(experiment, choices)
    options["on_existing"] = "replace" if restart else "refuse"
    # With --finetune, what is set is not of the head.
    set_by_hand = {assignment.partition("=")[0].strip() for assignment in assignments}
    searched = pretrained and not no_search and (finetune or not set_by_hand & SEARCHED)
    try:
        run = output / "models" / loss
        if not (tuning and (run / "model.keras").exists()):
            run = pipeline.train_network(
                experiment,
                settings,
                output,
                records=records,
                input_dir=input_dir,
                searched=searched,
                fixed_batch="batch_size" in set_by_hand and not finetune,
                **options,
            )
        if tuning:
            run = pipeline.fine_tune(
                experiment, tuning, output, records=records, input_dir=input_dir, **options
            )
    except OtherRun as error:
        raise OtherRun(f"{error}; choose another --output, or replace it with --restart") from None
    except WeightsNotDownloaded as error:
        raise InputError(
            f"{error}. {WEIGHTS_HINT}, or train a small network from random weights with "
            "--from-scratch"
        ) from error
    folder, data = (run, records or output / "data") if tuning else (output, records)
    click.echo(
        f"Make a report page: warptag report {quote(str(folder))}"
        + (f" --records {quote(str(data))}" if data is not None else "")
        + f"\nTag photographs:    warptag annotate PHOTOGRAPHS --model {quote(str(run))}"
    )


def _check_options(pretrained: bool, from_scratch: bool, **values: Any) -> None:
    """Raises UsageError if options of pretrained networks are used without one."""
    given = [f"--{name.replace('_', '-')}" for name, value in values.items() if value]
    if given and not pretrained:
        without = "without --from-scratch" if from_scratch else "with --backbone NAME"
        raise click.UsageError(f"{', '.join(given)} can only be used {without}")
    if pretrained and os.environ.get("TF_CONFIG"):
        raise click.UsageError(
            "a cluster trains networks from random weights only; use --from-scratch, or train the "
            "head of a pretrained network on one machine, without TF_CONFIG"
        )
