"""What the nine visual features of a photograph cost at 256 x 256 pixels, stage by stage.

    python -m benchmarks.visual_features --input PHOTOGRAPHS [--images 128]

PHOTOGRAPHS is a folder of JPEG images, which is read recursively; the first by name are resized to
squares of 256 pixels. The codebooks are learned from them. One core: one thread, the median image.
All cores: `VisualFeatures.transform` of the images in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import click
import cv2
import numpy as np
from threadpoolctl import threadpool_limits
from warptag.baselines.features.visual_words import count_words

from benchmarks.measuring import FOLDER, seconds_of
from warptag.baselines import VisualFeatures
from warptag.baselines.features.descriptors import BAGS, describe_patches, hog_2x2
from warptag.baselines.features.extraction import describe_image
from warptag.baselines.features.gist import gist
from warptag.baselines.features.histograms import colour_histogram

SIZE = 256


def decode(path: Path) -> np.ndarray:
    image = cv2.cvtColor(np.asarray(cv2.imread(str(path))), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def milliseconds(work: Callable, images: list) -> float:
    """The median time of one image."""
    return 1000 * median(seconds_of(partial(work, image)) for image in images)


@click.command()
@click.option("--input", "folder", type=FOLDER, required=True, help="Folder of JPEG images.")
@click.option("--images", "num_images", type=click.IntRange(16), default=128, show_default=True)
def main(folder: Path, num_images: int) -> None:
    """Milliseconds of each stage, and images per second and core."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    paths = paths[:num_images]
    images = [decode(path) for path in paths]
    features = VisualFeatures(image_size=SIZE).fit(images)
    codebooks = features.codebooks_
    described = [describe_patches(image) for image in images]
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]

    def words(patches) -> list[np.ndarray]:
        return [count_words(patches[name], codebooks[name]) for name in BAGS]

    cv2.setNumThreads(1)
    with threadpool_limits(1):
        hog = milliseconds(hog_2x2, greys)
        decoding = milliseconds(decode, paths)
        stages = {
            "SIFT, CSIFT, RGBSIFT, dense and Harris": milliseconds(describe_patches, images) - hog,
            "looking up words": milliseconds(words, described),
            "HOG 2x2": hog,
            "GIST": milliseconds(gist, images),
            "RGB histogram": milliseconds(colour_histogram, images),
            "JPEG and resize": decoding,
        }
        total = decoding + milliseconds(partial(describe_image, codebooks=codebooks), images)
    for name, value in stages.items():
        click.echo(f"{value:7.1f} ms  {name}")
    click.echo(f"{total:7.1f} ms  all of it: {1000 / total:.1f} images per second and core")
    rate = len(images) / seconds_of(partial(features.transform, images))
    cores = os.cpu_count() or 1
    click.echo(f"{cores} cores: {rate / cores:.1f} images per second and core")


if __name__ == "__main__":
    main()
