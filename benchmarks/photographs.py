"""Photographs to measure on: those of Corel5K, or rendered scenes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from PIL import Image

from tfrecords_tools.sources.corel5k import Corel5K
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.sources.scenes import Scenes

NUM_TAGS = 81


def photographs(input_dir: Path | None, count: int) -> Iterator[Image.Image]:
    """Photographs, repeated if there are too few.

    Args:
        input_dir: the folder of Corel5K; None for rendered scenes of 256 x 256 pixels.
        count: the number of photographs.
    """
    source: Any = Scenes(size=256, train=count)
    if input_dir is not None:
        source = Corel5K(input_dir, size=None)
    for item in islice(cycle(source.splits["train"]), count):
        yield Image.open(io.BytesIO(source.load(item).encoded)).convert("RGB")


def write_jpeg_files(
    folder: Path, input_dir: Path | None, count: int, size: tuple[int, int] | None
) -> list[Path]:
    """Writes photographs as JPEG files of quality 95, enlarged to `size` (width, height)."""
    folder.mkdir(parents=True)
    paths = []
    for index, image in enumerate(photographs(input_dir, count)):
        path = folder / f"{index:06d}.jpg"
        (image.resize(size, Image.Resampling.BICUBIC) if size else image).save(path, quality=95)
        paths.append(path)
    return paths


def source_of(paths: Sequence[Path], size: int | None = None) -> ImageFiles:
    """A source of image files of one folder, the last of them for validation, two tags each."""
    images = [
        LabelledImage(path.name, tuple(sorted((index % NUM_TAGS, (index + 7) % NUM_TAGS))))
        for index, path in enumerate(paths)
    ]
    tag_names = [f"tag {index}" for index in range(NUM_TAGS)]
    splits = {"train": images[:-1], "validation": images[-1:]}
    return ImageFiles(paths[0].parent, tag_names, splits, size=size)
