"""The command `nuswide-download`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tfrecords_tools.download.url_list import SIZES


@click.command("nuswide-download")
@click.option(
    "--urls",
    type=click.Path(path_type=Path),
    required=True,
    help="NUS-WIDE-urls.txt of NUS-WIDE's release.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the images; NUS-WIDE/Flickr for convert nuswide --input NUS-WIDE.",
)
@click.option(
    "--size",
    type=click.Choice(SIZES),
    default="middle",
    show_default=True,
    help="Preferred size; if it is gone or broken, larger ones are tried, then smaller ones.",
)
@click.option(
    "--concurrent",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Requests at the same time.",
)
@click.option(
    "--requests-per-second",
    type=click.FloatRange(0, min_open=True),
    default=20.0,
    show_default=True,
    help="Limit over all requests.",
)
@click.option("--retry-gone", is_flag=True, help="Ask again for images that were gone.")
def nuswide_download(
    urls: Path,
    output: Path,
    size: str,
    concurrent: int,
    requests_per_second: float,
    retry_gone: bool,
) -> None:
    """Fetch the images of NUS-WIDE, whose release has only their URLs.

    Give the same command again to go on after an interruption, and to try images again that were
    broken; exit status 1 says that there are some. Images that are gone from Flickr are normal.
    What became of each image is in download_report.csv in the output folder.

    \b
    Example:
      python -m tfrecords_tools nuswide-download --urls NUS-WIDE-urls.txt --output NUS-WIDE/Flickr
    """
    from tfrecords_tools.download.downloader import download
    from tfrecords_tools.download.report import BROKEN

    report = download(
        urls,
        output,
        size=size,
        concurrent=concurrent,
        requests_per_second=requests_per_second,
        retry_gone=retry_gone,
    )
    click.echo(report)
    if report.count(BROKEN):
        click.echo("Give the same command again to try the broken ones again.", err=True)
        sys.exit(1)
