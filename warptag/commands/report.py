"""`warptag report`: a page to look at."""

from __future__ import annotations

from pathlib import Path

import click

from warptag.commands.common import import_tensorflow, show_progress


@click.command()
@click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--records",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Records that the trained runs in DIR are scored on; default DIR/data.",
)
@click.option("--split", default="test", show_default=True, help="Which split of the records.")
def report(directory: Path, records: Path | None, split: str) -> None:
    """Make report.html in DIR, which contains results of `warptag reproduce` or runs of
    `warptag train`.

    Results are shown as they are. Trained runs first score the test images, and tables and plots
    are written beside the page. The page is one file that needs no network.

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
        raise NoRecords(f"{error}; name one with --records DIR") from None
