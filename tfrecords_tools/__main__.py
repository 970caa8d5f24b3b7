"""The command line: `python -m tfrecords_tools convert | verify | info | ...`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import click

from tfrecords_tools.command_line import run_command_line
from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset, TooManyRejected
from tfrecords_tools.extras import requires
from tfrecords_tools.nuswide_commands import nuswide_download, nuswide_features
from tfrecords_tools.options import OPEN_SHARE, PATH, SEED, SHARE, WORKERS
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.sources import SOURCES, source_class

KEEP = "keep"
#: Sides of stored images, in pixels; a larger square takes more than 50 MB of memory.
SIDES = click.IntRange(1, 4096)
#: Numbers of rendered pictures.
MAX_PICTURES = 1_000_000

#: The options that help with errors of the library.
HINTS: dict[type[InputError], str] = {
    OtherDataset: "choose another --output, or replace it with --overwrite",
    DamagedDataset: "`verify` lists everything that is damaged, and `convert --overwrite` makes "
    "the data set again",
    TooManyRejected: "fix them, or allow a larger share with --max-rejected",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Convert images and tags to TFRecord shards, and check them."""


cli.add_command(nuswide_download)
cli.add_command(nuswide_features)


class _Size(click.ParamType):
    """A number of pixels, or `keep`."""

    name = "pixels|keep"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return KEEP if value == KEEP else SIDES.convert(value, param, ctx)


@cli.command()
@click.argument("name", metavar="SOURCE", type=click.Choice(list(SOURCES)))
@click.argument("runner_options", metavar="[-- RUNNER OPTIONS]", nargs=-1)
@click.option("--input", "input_dir", type=PATH, help="Folder of the original data set.")
@click.option("--output", type=PATH, required=True, help="Folder to write the records into.")
@click.option(
    "--size",
    type=_Size(),
    help="Side of the square that images are resized to (default 256; scenes 64), or keep.",
)
@click.option(
    "--shorter-side",
    is_flag=True,
    default=None,
    help="Resize the shorter side to --size instead and keep the aspect ratio.",
)
@click.option("--seed", type=SEED, help="Seed of the random choices.")
@click.option(
    "--train",
    type=click.IntRange(1, MAX_PICTURES),
    help="Number of training images (scenes); default 5400.",
)
@click.option(
    "--validation",
    type=click.IntRange(0, MAX_PICTURES),
    help="Number of validation images (scenes); default 600. With 0 they are taken from the "
    "training images.",
)
@click.option(
    "--test",
    type=click.IntRange(1, MAX_PICTURES),
    help="Number of test images (scenes); default 1500.",
)
@click.option(
    "--split", type=click.Choice(["paper", "official"]), help="The split of the images (nuswide)."
)
@click.option(
    "--test-share",
    type=OPEN_SHARE,
    help="Share of test images if neither labels nor folders define a split (folder); default 0.1.",
)
@click.option(
    "--validation-share",
    type=OPEN_SHARE,
    help="Share of the training images that become validation images if the source has none; "
    "default 0.1 (folder 0.2).",
)
@click.option(
    "--keep-untagged", is_flag=True, default=None, help="Keep images without tags (folder, coco)."
)
@click.option("--workers", type=WORKERS, help="Number of processes; default one per core.")
@click.option(
    "--max-rejected",
    type=SHARE,
    help="Share of damaged images above which to stop; default 0.01, or 10 images if more.",
)
@click.option("--overwrite", is_flag=True, help="Replace another data set in the output folder.")
@click.option(
    "--runner",
    help="Run as an Apache Beam pipeline (extra beam): DirectRunner, FlinkRunner, ...; its "
    "options follow after --.",
)
def convert(
    name: str,
    runner_options: tuple[str, ...],
    output: Path,
    workers: int | None,
    max_rejected: float | None,
    validation_share: float | None,
    overwrite: bool,
    runner: str | None,
    **options: Any,
) -> None:
    """Write the images and tags of SOURCE as TFRecord shards: train, validation and test.

    If a conversion is interrupted, the same command resumes it.

    \b
    Example:
      python -m tfrecords_tools convert folder --input photos --output records
    """
    if runner is None and runner_options:
        raise click.UsageError(f"unexpected argument {runner_options[0]!r}")
    if runner is not None and workers is not None:
        raise click.UsageError("--workers has no effect with --runner; use the runner's own option")
    source = _open_source(name, options)
    if validation_share is not None and "validation" in source.splits:
        hint = "; give --validation 0 too" if name == "scenes" else ""
        raise click.UsageError(
            f"--validation-share cannot be used: {name} has validation images of its own{hint}"
        )
    for note in getattr(source, "notes", ()):
        click.echo(note, err=True)
    import_tensorflow()
    choices = {
        "name": name,
        "settings": source.settings,
        "overwrite": overwrite,
        "max_rejected": max_rejected,
        "validation_share": validation_share,
    }
    if runner is None:
        from tfrecords_tools.convert import convert as convert_here

        info = convert_here(source, output, workers=workers, **choices)
    else:
        from tfrecords_tools.beam import convert_with_beam

        info = convert_with_beam(
            source, output, runner=runner, pipeline_options=runner_options, **choices
        )
    from tfrecords_tools.describe import describe

    click.echo(describe(info))


def _open_source(name: str, options: dict[str, Any]) -> Any:
    source = source_class(name)
    accepted = inspect.signature(source).parameters
    given = {option: value for option, value in options.items() if value is not None}
    for option, value in given.items():
        if option not in accepted or (value == KEEP and "shorter_side" not in accepted):
            shown = option.removesuffix("_dir").replace("_", "-")
            raise click.UsageError(
                f"--{shown}{' keep' if value == KEEP else ''} is not an option of {name}"
            )
    if "input_dir" in accepted and "input_dir" not in given:
        raise click.UsageError(f"{name} needs --input DIR, the folder of the original data set")
    if given.get("size") == KEEP:
        if "shorter_side" in given:
            raise click.UsageError("--shorter-side needs a --size in pixels, not keep")
        given["size"] = None
    return source(**given)


@cli.command()
@click.argument("directory", metavar="DIR", type=PATH)
def verify(directory: Path) -> None:
    """Check every file, record, image and count in DIR; exit status 1 if anything is wrong.

    \b
    Example:
      python -m tfrecords_tools verify records
    """
    from tfrecords_tools.verify import verify as verify_data_set

    import_tensorflow()
    report = verify_data_set(directory)
    for finding in report.findings:
        click.echo(finding)
    for warning in report.warnings:
        click.echo(f"warning: {warning}")
    if report.findings:
        raise click.exceptions.Exit(1)
    click.echo(f"{directory}: nothing wrong")


@cli.command()
@click.argument("directory", metavar="DIR", type=PATH)
def info(directory: Path) -> None:
    """Describe the data set in DIR, and write plots of its tags and some images to DIR/info.

    \b
    Example:
      python -m tfrecords_tools info records
    """
    from tfrecords_tools.describe import describe, describe_statistics
    from tfrecords_tools.schema import DatasetInfo
    from tfrecords_tools.statistics import read_statistics

    click.echo(describe(DatasetInfo.load(directory)))
    import_tensorflow()
    statistics = read_statistics(directory)
    click.echo(describe_statistics(statistics))
    with requires("reproduce"):
        from tfrecords_tools.plots import write_plots
    for path in write_plots(directory, statistics):
        click.echo(path)


def main() -> None:
    """Runs the command line; an error is one line on standard error, never a traceback."""
    # With its own name the shell can complete it.
    name = "tfrecords-tools"
    prog_name = name if Path(sys.argv[0]).name == name else "python -m tfrecords_tools"
    run_command_line(cli, prog_name, hint=_hint)


def _hint(error: Exception) -> str:
    return next((f"; {hint}" for kind, hint in HINTS.items() if isinstance(error, kind)), "")


if __name__ == "__main__":
    main()
