"""`warptag reproduce`: both tables of an experiment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tfrecords_tools.errors import InputError
from warptag.commands.common import import_tensorflow, make_writable
from warptag.experiments import EXPERIMENTS, load_experiment

UPPER_BOUND, FEATURES = "nuswide-upper-bound", "nuswide-features"


@click.command()
@click.argument(
    "name",
    metavar="[EXPERIMENT]",
    type=click.Choice([*EXPERIMENTS, UPPER_BOUND, FEATURES]),
    default="scenes",
)
@click.option(
    "--input",
    "input_dir",
    type=click.Path(path_type=Path),
    help="Folder of the original data set (corel5k, nuswide).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the results; default results/EXPERIMENT.",
)
@click.option("--seeds", type=click.IntRange(1), help="Training runs a loss.")
@click.option("--search", "search_again", is_flag=True, help="Search learning rates again.")
@click.option("--quick", is_flag=True, help="A run of a minute or two that decides nothing.")
@click.option("--tensorboard", is_flag=True, help="Write logs for TensorBoard beside the models.")
def reproduce(
    name: str,
    input_dir: Path | None,
    output: Path | None,
    seeds: int | None,
    search_again: bool,
    quick: bool,
    tensorboard: bool,
) -> None:
    """Make both tables of EXPERIMENT (scenes, corel5k, nuswide, or without its images
    nuswide-upper-bound and nuswide-features).

    \b
    Example:
      warptag reproduce corel5k --input ~/corel5k
    """
    import_tensorflow()
    without_images = name in (UPPER_BOUND, FEATURES)
    needs_input = without_images or load_experiment(name).needs_input
    if needs_input and input_dir is None:
        raise click.UsageError(f"{name} needs --input DIR, the folder of the original data set")
    if not needs_input and input_dir is not None:
        raise click.UsageError(f"{name} renders its own pictures and takes no --input")
    if without_images and (search_again or quick or tensorboard):
        raise click.UsageError(f"{name} trains no network; it takes --input and --output")
    if name == FEATURES and seeds:
        raise click.UsageError(f"{name} takes no --seeds: its rows are fitted once")
    if input_dir is not None and not input_dir.is_dir():
        raise InputError(f"{input_dir} is not a folder; --input takes the original data set's")
    output = output or Path("results") / (f"{name}-quick" if quick else name)
    make_writable(output)

    if name == UPPER_BOUND:
        from warptag.experiments.nuswide_upper_bound import reproduce_upper_bound

        assert input_dir is not None
        written = reproduce_upper_bound(input_dir, output, seeds or 3)
    elif name == FEATURES:
        from warptag.experiments.nuswide_features import reproduce_nuswide_features

        assert input_dir is not None
        written = reproduce_nuswide_features(input_dir, output, click.echo)
    else:
        from warptag.experiments.quick import quick as make_quick
        from warptag.experiments.reproduce import reproduce as run

        experiment = load_experiment(name)
        experiment = make_quick(experiment) if quick else experiment
        experiment = replace(experiment, seeds=seeds) if seeds else experiment
        options = [
            *(["--input DIR"] if needs_input else []),
            *([f"--seeds {seeds}"] if seeds else []),
            *(["--search"] if search_again else []),
            *(["--quick"] if quick else []),
        ]
        written = run(
            experiment,
            output,
            input_dir=input_dir,
            search_again=search_again,
            tensorboard=tensorboard,
            command=" ".join(["bash reproduce.sh", name, *options]),
            say=click.echo,
        )
    _show_tables(output)
    click.echo("\nWritten:\n" + "\n".join(f"  {path}" for path in written))


def _show_tables(folder: Path) -> None:
    import pandas as pd

    for path in sorted(folder.glob("table_k*.csv")):
        click.echo(f"\n{path}, in percent (beside the paper's, with claims: {folder}/tables.md)")
        click.echo(pd.read_csv(path).iloc[:, :6].to_string(index=False, float_format="%.2f"))
