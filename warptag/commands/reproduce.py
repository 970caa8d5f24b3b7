"""`warptag reproduce`: both tables of an experiment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.options import PATH
from warptag.commands.common import (
    WEIGHTS_HINT,
    import_tensorflow,
    make_writable,
    show_progress,
)
from warptag.experiments import EXPERIMENTS, Experiment


@click.command()
@click.argument(
    "name", metavar="[EXPERIMENT]", type=click.Choice(list(EXPERIMENTS)), default="scenes"
)
@click.option(
    "--input",
    "input_dir",
    type=PATH,
    help="Folder of the original data set; scenes needs none.",
)
@click.option(
    "--output",
    type=PATH,
    help="Folder of the results; default results/EXPERIMENT.",
)
@click.option("--seeds", type=click.IntRange(1, 1000), help="Training runs per loss; default 3.")
@click.option(
    "--search",
    "search_again",
    is_flag=True,
    help="Search the settings of the paper's network again.",
)
@click.option(
    "--backbone",
    metavar="NAME",
    help="Also compare the losses on a pretrained network of keras.applications.",
)
@click.option(
    "--weights",
    metavar="imagenet|FILE",
    help="Weights of the pretrained network; default imagenet, which is downloaded.",
)
@click.option(
    "--all-baselines", is_flag=True, help="Also fit JEC, TagProp and 2PKNN to the visual features."
)
@click.option("--quick", is_flag=True, help="Try out every step in a minute or two.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the data and estimate time, disk and memory, without writing results.",
)
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard beside the models.")
def reproduce(
    name: str,
    input_dir: Path | None,
    output: Path | None,
    seeds: int | None,
    search_again: bool,
    all_baselines: bool,
    quick: bool,
    dry_run: bool,
    tensorboard: bool,
    backbone: str | None,
    weights: str | None,
) -> None:
    """Make both tables of EXPERIMENT: scenes (the default, rendered pictures), corel5k, nuswide or
    folder (your own photographs). The experiments nuswide-upper-bound and nuswide-features need
    NUS-WIDE's labels and features, but not its images.

    An interrupted run resumes when the same command is run again.

    \b
    Example:
      warptag reproduce corel5k --input ~/corel5k
    """
    experiment = EXPERIMENTS[name]
    check_input(name, input_dir)
    if experiment.networks is None and (search_again or tensorboard):
        raise click.UsageError(f"{name} trains no network and takes no --search or --tensorboard")
    if all_baselines and experiment.features is None:
        raise click.UsageError(f"{name} has no visual features and takes no --all-baselines")
    if experiment.networks is None and backbone is not None:
        raise click.UsageError(f"{name} has no photographs and takes no --backbone")
    if weights is not None and backbone is None:
        raise click.UsageError("--weights needs --backbone NAME, the network they belong to")
    if input_dir is not None and not input_dir.is_dir():
        raise InputError(f"{input_dir} is not a folder; expected the original data set's folder")
    output = output or Path("results") / (f"{name}-quick" if quick else name)
    if not dry_run:
        make_writable(output)
    options = [
        *(["--input DIR"] if input_dir else []),
        *([f"--seeds {seeds}"] if seeds else []),
        *(["--search"] if search_again else []),
        *(["--all-baselines"] if all_baselines else []),
        *([f"--backbone {backbone}"] if backbone else []),
        *(["--weights FILE" if weights != "imagenet" else "--weights imagenet"] if weights else []),
        *(["--quick"] if quick else []),
    ]
    import_tensorflow("reproduce")
    show_progress()
    from warptag.models import IMAGENET, WeightsNotDownloaded
    from warptag.pipeline.reproduce import reproduce as run
    from warptag.pipeline.train import with_pretrained

    if backbone is not None:
        assert experiment.networks is not None
        pretrained = with_pretrained(experiment.networks, backbone, weights or IMAGENET)
        experiment = replace(experiment, pretrained=pretrained)
    experiment = experiment.with_all_baselines() if all_baselines else experiment
    experiment = experiment.quick() if quick else experiment
    experiment = replace(experiment, seeds=seeds) if seeds else experiment
    if dry_run:
        _show_dry_run(experiment, output, input_dir, search_again)
        return
    try:
        written = run(
            experiment,
            output,
            input_dir=input_dir,
            search_again=search_again,
            tensorboard=tensorboard,
            command=" ".join(["bash reproduce.sh", name, *options]),
        )
    except WeightsNotDownloaded as error:
        raise InputError(f"{error}. {WEIGHTS_HINT}") from error
    _show_tables(output)
    click.echo("\nWritten:\n" + "\n".join(f"  {path}" for path in written))


def check_input(name: str, input_dir: Path | None, records: Path | None = None) -> None:
    """Raises UsageError unless the folders given are those that the experiment reads."""
    needs_input = EXPERIMENTS[name].data.needs_input
    if records is not None and input_dir is not None:
        raise click.UsageError("--records and --input cannot be used together")
    if needs_input and input_dir is None and records is None:
        raise click.UsageError(f"{name} needs --input DIR, the folder of the original data set")
    if not needs_input and input_dir is not None:
        raise click.UsageError(f"{name} renders its own pictures and takes no --input")


def _show_dry_run(
    experiment: Experiment, output: Path, input_dir: Path | None, search_again: bool
) -> None:
    from warptag.pipeline.dry_run import dry_run
    from warptag.pipeline.estimate import total

    steps = []
    for step in dry_run(experiment, output, input_dir=input_dir, search_again=search_again):
        click.echo(step)
        steps.append(step)
    click.echo(total(steps, output))


def _show_tables(folder: Path) -> None:
    import pandas as pd

    for path in sorted(folder.glob("table_k*.csv")):
        click.echo(f"\n{path}, in percent (with claims and settings: {folder}/tables.md)")
        click.echo(pd.read_csv(path).iloc[:, :6].to_string(index=False, float_format="%.2f"))
