"""Photographs for the benchmarks: Corel5K's, from a folder, or rendered scenes without one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tfrecords_tools.sources.corel5k import Corel5K
from tfrecords_tools.sources.scenes import Scenes


def photographs(input_dir: Path | None, count: int) -> Iterator[Image.Image]:
    """`count` different pictures, repeated when there are fewer.

    Args:
        input_dir: Corel5K's folder; None for rendered scenes of 256 x 256 pixels.
        count: how many.
    """
    if input_dir is None:
        scenes = Scenes(size=256, train=count)
        for item in scenes.splits["train"]:
            yield Image.fromarray(scenes.picture(item)[1])
        return
    source = Corel5K(input_dir, size=None)
    items = source.splits["train"]
    for index in range(count):
        record = source.load(items[index % len(items)])
        yield Image.open(io.BytesIO(record.encoded)).convert("RGB")


def write_jpeg_files(
    folder: Path, input_dir: Path | None, count: int, size: tuple[int, int] | None
) -> list[Path]:
    """Writes pictures as `000000.jpg` and so on, quality 95, enlarged to (width, height)."""
    folder.mkdir(parents=True)
    paths = []
    for index, image in enumerate(photographs(input_dir, count)):
        path = folder / f"{index:06d}.jpg"
        (image.resize(size, Image.Resampling.BICUBIC) if size else image).save(path, quality=95)
        paths.append(path)
    return paths
