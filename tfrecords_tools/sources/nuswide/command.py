"""The command `nuswide-features`."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("nuswide-features")
@click.option(
    "--input",
    "input_dir",
    type=FOLDER,
    required=True,
    help="Folder of the release: ConceptsList, Groundtruth, ImageList, Low_Level_Features.",
)
@click.option("--output", type=FOLDER, required=True, help="Folder to write the arrays into.")
@click.option(
    "--split",
    type=click.Choice(["paper", "official"]),
    default="paper",
    show_default=True,
    help="Which training and test images.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the random choice and order.",
)
def nuswide_features(input_dir: Path, output: Path, split: str, seed: int) -> None:
    """Write NUS-WIDE's low-level features and labels as NumPy files; no images are needed.

    Rows are in the order of `convert nuswide` with the same --split and --seed; the images that it
    takes for validation are among the training rows.

    \b
    Example:
      python -m tfrecords_tools nuswide-features --input NUS-WIDE --output features
    """
    from tfrecords_tools.sources.nuswide.feature_writer import write_features

    features = write_features(input_dir, output, split, seed)
    for name, part in (("train", features.train), ("test", features.test)):
        num_images, num_features = part.features.shape
        click.echo(
            f"{output}/{name}_*: {num_images:,} images, {num_features:,} features, "
            f"{part.labels.shape[1]} tags"
        )
