"""The command line: `python -m tfrecords_tools convert | verify | info`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.sources import SOURCES, source_class

FOLDER = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Convert images and tags to TFRecord shards, and check them."""


@cli.command()
@click.argument("name", metavar="SOURCE", type=click.Choice(list(SOURCES)))
@click.option("--input", "input_dir", type=FOLDER, help="Folder of the original data set.")
@click.option("--output", type=FOLDER, required=True, help="Folder to write the records into.")
@click.option("--size", type=click.IntRange(1), help="Resize images to SIZE x SIZE pixels.")
@click.option("--seed", type=click.IntRange(0), help="Of the random choices.")
@click.option("--train", type=click.IntRange(1), help="Number of training images (scenes).")
@click.option("--validation", type=click.IntRange(0), help="Number of validation images (scenes).")
@click.option("--test", type=click.IntRange(1), help="Number of test images (scenes).")
@click.option("--split", type=click.Choice(["paper", "official"]), help="Which one (nuswide).")
@click.option("--workers", type=click.IntRange(1), help="Processes; default one a core.")
@click.option(
    "--max-rejected",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of damaged images above which to stop.",
)
@click.option("--overwrite", is_flag=True, help="Replace another data set in the output folder.")
def convert(
    name: str,
    output: Path,
    workers: int | None,
    max_rejected: float,
    overwrite: bool,
    **options: Any,
) -> None:
    """Write the images and tags of SOURCE as TFRecord shards."""
    from tfrecords_tools import convert as conversion
    from tfrecords_tools.describe import describe

    source = _open_source(name, options)
    for split, count in getattr(source, "missing", {}).items():
        if count:
            click.echo(f"{split}: {count:,} images are not in the input folder, left out", err=True)
    import_tensorflow()
    info = conversion.convert(
        source,
        output,
        name=name,
        settings=source.settings,
        workers=workers,
        overwrite=overwrite,
        max_rejected=max_rejected,
    )
    click.echo(describe(info))


def _open_source(name: str, options: dict[str, Any]) -> Any:
    source = source_class(name)
    accepted = inspect.signature(source).parameters
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in accepted:
            raise click.UsageError(f"--{option.removesuffix('_dir')} is no option of {name}")
    if "input_dir" in accepted and "input_dir" not in given:
        raise click.UsageError(f"{name} needs --input DIR, the folder of the original data set")
    return source(**given)


@cli.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def verify(directory: Path) -> None:
    """Check every file, record, image and count in DIR; exit status 1 if anything is wrong."""
    from tfrecords_tools import verify as verification

    import_tensorflow()
    findings = verification.verify(directory)
    for finding in findings:
        click.echo(finding)
    if findings:
        sys.exit(1)
    click.echo(f"{directory}: nothing wrong")


@cli.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def info(directory: Path) -> None:
    """Say what is in DIR."""
    from tfrecords_tools.describe import describe
    from tfrecords_tools.schema import DatasetInfo

    click.echo(describe(DatasetInfo.load(directory)))


def main() -> None:
    """Runs the command line; an error is one line on standard error, never a traceback."""
    try:
        sys.exit(cli.main(prog_name="python -m tfrecords_tools", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped; the same command begins again.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (InputError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
