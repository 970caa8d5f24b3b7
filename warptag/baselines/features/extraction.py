"""From images to the histograms of the nine features, in parallel and chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from typing import Any, Protocol

import cv2
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from warptag.baselines.features.descriptors import BAGS, describe_patches
from warptag.baselines.features.gist import gist
from warptag.baselines.features.histograms import colour_histogram, count_words
from warptag.baselines.features.resizing import to_square
from warptag.content_cache import content_key

#: Images per chunk and per file of the cache; an interrupt loses at most so many.
CHUNK = 128
#: To be raised with every change after which the same image has another description.
VERSION = 2
#: The side of the square that GIST is computed from, in pixels, unless the image is smaller.
GIST_SIZE = 128


class Images(Protocol):
    """A collection of images that has a length and can be read several times."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


def feature_widths(codebooks: dict[str, np.ndarray]) -> dict[str, int]:
    """Name of each of the nine features -> its number of columns in `describe_image`."""
    bags = {name: 4 * len(codebooks[name]) for name in BAGS}
    return {"GIST": 960, **bags, "RGB histogram": 512}


def describe_image(image: np.ndarray, codebooks: dict[str, np.ndarray]) -> np.ndarray:
    """GIST, the counts of the words of each bag, and the colour histogram, as one float32 row.

    The image is uint8 (size, size, 3), RGB, of size at least 32.
    """
    patches = describe_patches(image)
    bags = [count_words(patches[name], codebooks[name]) for name in BAGS]
    # GIST needs a multiple of 4. Its filters find nothing new in an enlarged image.
    gist_size = min(GIST_SIZE, image.shape[0] // 4 * 4)
    return np.concatenate([gist(image, gist_size), *bags, colour_histogram(image)])


def extraction_key() -> str:
    """A hash of what the description of an image depends on, besides its pixels and codebooks."""
    packages = ("numpy", "scipy", "scikit-image", "scikit-learn")
    libraries = [cv2.__version__, *map(version, packages)]
    return content_key(str(VERSION), *libraries)


def num_chunks(images: Images) -> int:
    """Number of chunks of at most 128 images."""
    return -(-len(images) // CHUNK)


def choose(number: int, limit: int, random: np.random.Generator) -> np.ndarray:
    """At most `limit` of the indices 0 to number - 1, at random, in order."""
    if number <= limit:
        return np.arange(number)
    return np.sort(random.choice(number, limit, replace=False))


def num_chosen_images(images: Images, chosen: np.ndarray) -> int:
    """Number of images in some chunks."""
    return sum(min(CHUNK, len(images) - CHUNK * int(number)) for number in chosen)


def resized_chunks(images: Images, size: int, chosen: np.ndarray) -> Iterator[list[np.ndarray]]:
    """The chunks of the chosen numbers, resized to squares.

    Raises:
        ValueError: an image is not a uint8 array (height, width, 3).
    """
    numbered = enumerate(images)
    for number in range(num_chunks(images)):
        chunk = islice(numbered, CHUNK)
        if number in chosen:
            yield [_resized(image, place, size) for place, image in chunk]
        else:
            for _ in chunk:
                pass


def _resized(image: Any, number: int, size: int) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"image {number} must be a uint8 array (height, width, 3), "
            f"got {image.dtype} of shape {image.shape}"
        )
    return to_square(image, size)


@contextmanager
def parallel_map(task: str, total: int) -> Iterator[tuple[Callable[..., list], tqdm]]:
    """A `map` with one thread per core that returns a list, and a progress bar over images."""
    # OpenCV, SciPy and NumPy release the interpreter's lock, so threads are enough. Their own
    # threads are off meanwhile, since they would compete for the same cores.
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=total, desc=task, unit="image", disable=None) as progress,
    ):

        def run(function: Callable, items: Iterable) -> list:
            opencv_threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
            try:
                with threadpool_limits(1, "blas"):
                    return list(pool.map(function, items))
            finally:
                cv2.setNumThreads(opencv_threads)

        yield run, progress
