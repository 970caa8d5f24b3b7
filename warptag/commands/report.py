"""`warptag report`: the report page of a folder."""

from __future__ import annotations

from pathlib import Path

import click

from tfrecords_tools.options import FOLDER
from warptag.commands.common import import_tensorflow, show_progress


@click.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
@click.option(
    "--records",
    type=FOLDER,
    help="Records to score the trained runs in DIR on; default DIR/data.",
)
@click.option("--split", default="test", show_default=True, help="Split of the records to score.")
def report(directory: Path, records: Path | None, split: str) -> None:
    """Make report.html in DIR, which contains the results of `warptag reproduce` or runs of
    `warptag train`.

    Results are shown as they are. Trained runs first score the test images, and their tables and
    plots are written to the same folder. The page is one file, which can be viewed offline.

    \b
    Examples:
      warptag report results/scenes
      warptag report results/scenes-train
      warptag report my-run --records my-records
    """
    import_tensorflow("reproduce")
    show_progress()
    from warptag.pipeline.report import NoRecords
    from warptag.pipeline.report import report as make_report

    try:
        click.echo(make_report(directory, records=records, split=split)[-1])
    except NoRecords as error:
        raise NoRecords(f"{error}; pass one with --records DIR") from None
