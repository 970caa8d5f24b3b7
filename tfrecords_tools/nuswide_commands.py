"""The commands `nuswide-download` and `nuswide-features`."""

from __future__ import annotations

from pathlib import Path

import click

from tfrecords_tools.download.url_list import SIZES
from tfrecords_tools.options import PATH, SEED, Number


@click.command("nuswide-download")
@click.option("--urls", type=PATH, required=True, help="NUS-WIDE-urls.txt of NUS-WIDE's release.")
@click.option(
    "--output",
    type=PATH,
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
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="Maximum number of requests at the same time.",
)
@click.option(
    "--requests-per-second",
    type=Number(0.001, 1000),
    default=20.0,
    show_default=True,
    help="Maximum rate of all requests.",
)
@click.option("--retry-gone", is_flag=True, help="Request images again that were gone.")
def nuswide_download(
    urls: Path,
    output: Path,
    size: str,
    concurrent: int,
    requests_per_second: float,
    retry_gone: bool,
) -> None:
    """Download the images of NUS-WIDE, whose release has only their URLs.

    The same command resumes an interrupted download, and tries broken images again; exit status 1
    means that there are some. Images that are gone from Flickr are normal. The result for each
    image is in download_report.csv in the output folder.

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
        click.echo("Run the same command again to retry the broken images.", err=True)
        raise click.exceptions.Exit(1)


@click.command("nuswide-features")
@click.option(
    "--input",
    "input_dir",
    type=PATH,
    required=True,
    help="Folder of the release: ConceptsList, Groundtruth, ImageList, Low_Level_Features.",
)
@click.option("--output", type=PATH, required=True, help="Folder to write the arrays into.")
@click.option(
    "--split",
    type=click.Choice(["paper", "official"]),
    default="paper",
    show_default=True,
    help="The split into training and test images.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of the random split and order.",
)
def nuswide_features(input_dir: Path, output: Path, split: str, seed: int) -> None:
    """Write NUS-WIDE's low-level features and labels as NumPy files; no images are needed.

    The rows have the order of `convert nuswide` with the same --split and --seed; its validation
    images are among the training rows.

    \b
    Example:
      python -m tfrecords_tools nuswide-features --input NUS-WIDE --output features
    """
    from tfrecords_tools.sources.nuswide import write_features

    features = write_features(input_dir, output, split, seed)
    for name, part in (("train", features.train), ("test", features.test)):
        num_images, num_features = part.features.shape
        click.echo(
            f"{output}/{name}_*: {num_images:,} images, {num_features:,} features, "
            f"{part.labels.shape[1]} tags"
        )
