"""What the nine visual features cost a photograph at 256 x 256, and where the time goes.

    python -m benchmarks.visual_features --input PHOTOGRAPHS [--images 128]

PHOTOGRAPHS is a folder of JPEG images, read recursively, the first by name; each is decoded and
resized to a 256-pixel square. Codebooks of 1,000 words are descriptors of these photographs, chosen
at random: looking words up costs the same whatever they are. One core: one thread, libraries'
threads off, the median image. All cores: `VisualFeatures.histograms` as it is used, images in
memory, in images a second a core.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from warptag.baselines import VisualFeatures
from warptag.baselines.features.descriptors import BAGS, describe_patches, hog_2x2
from warptag.baselines.features.extraction import describe_image, num_chunks
from warptag.baselines.features.gist import gist
from warptag.baselines.features.histograms import colour_histogram, count_words

SIZE, NUM_WORDS = 256, 1000


def decode(path: Path) -> np.ndarray:
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def made_codebooks(images: list[np.ndarray]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    described = [describe_patches(image) for image in images[:16]]
    codebooks = {}
    for name in BAGS:
        every = np.concatenate([patches[name].descriptors for patches in described])
        codebooks[name] = every[random.choice(len(every), NUM_WORDS)]
    return codebooks


def median_milliseconds(work: Callable[[np.ndarray], object], images: list) -> float:
    times = []
    for image in images:
        start = time.perf_counter()
        work(image)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


@click.command()
@click.option("--input", "folder", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--images", "num_images", type=click.IntRange(16), default=128, show_default=True)
def main(folder: Path, num_images: int) -> None:
    """Print milliseconds of each stage, and images a second a core."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    paths = paths[:num_images]
    images = [decode(path) for path in paths]
    codebooks = made_codebooks(images)
    described = [describe_patches(image) for image in images]
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]

    cv2.setNumThreads(1)
    with threadpool_limits(1):
        stages = {
            "JPEG and resize": median_milliseconds(decode, paths),
            "SIFT, CSIFT, RGBSIFT, dense and Harris": median_milliseconds(describe_patches, images),
            "HOG 2x2": median_milliseconds(hog_2x2, greys),
            "words": median_milliseconds(
                lambda patches: [count_words(patches[name], codebooks[name]) for name in BAGS],
                described,
            ),
            "GIST": median_milliseconds(gist, images),
            "RGB histogram": median_milliseconds(colour_histogram, images),
        }
        stages["SIFT, CSIFT, RGBSIFT, dense and Harris"] -= stages["HOG 2x2"]
        whole = median_milliseconds(lambda image: describe_image(image, codebooks), images)
    for name, milliseconds in stages.items():
        click.echo(f"{milliseconds:7.1f} ms  {name}")
    total = whole + stages["JPEG and resize"]
    click.echo(f"{total:7.1f} ms  all of it, one core: {1000 / total:.1f} images/s a core")

    features = VisualFeatures(image_size=SIZE)
    features.codebooks_ = codebooks
    start = time.perf_counter()
    for _ in features._histograms(images, np.arange(num_chunks(images)), "describing"):
        pass
    rate = len(images) / (time.perf_counter() - start)
    cores = os.cpu_count() or 1
    click.echo(f"{rate:.1f} images/s on {cores} cores: {rate / cores:.1f} images/s a core")


if __name__ == "__main__":
    main()
