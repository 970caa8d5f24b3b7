"""How fast a folder of photographs becomes records, beside what bounds it.

    python -m benchmarks.conversion [--input COREL5K] [--images 6000]

With resizing: `convert` to 256 x 256 beside Pillow's decode, resize and encode alone, in as many
processes over the same files. Without: beside a plain copy of each file with its SHA-256. All are
whole runs with the start of their processes, in turns; the medians of three are compared.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import click
from PIL import Image

from benchmarks.photographs import write_jpeg_files
from tfrecords_tools.convert import convert
from tfrecords_tools.images import JPEG_QUALITY, RESAMPLING
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.sources.files import ImageFiles, LabelledImage

ROUNDS = 3
FILES_PER_TASK = 64


def resize_with_pillow(paths: list[Path]) -> None:
    """Decodes, resizes and encodes, and drops the result."""
    for path in paths:
        with Image.open(path) as stored:
            image = stored.convert("RGB").resize((256, 256), RESAMPLING)
        image.save(io.BytesIO(), "JPEG", quality=JPEG_QUALITY)


def copy_with_checksum(paths: list[Path], folder: Path) -> None:
    """Copies each file and computes its SHA-256."""
    for path in paths:
        content = path.read_bytes()
        hashlib.sha256(content).hexdigest()
        (folder / path.name).write_bytes(content)


def over_processes(work: Callable[[list[Path]], None], paths: list[Path]) -> None:
    """Shares the files out over as many processes as there are cores."""
    tasks = [paths[i : i + FILES_PER_TASK] for i in range(0, len(paths), FILES_PER_TASK)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(work, tasks))


def compare(paths: list[Path], size: int | None, scratch: Path) -> tuple[float, float]:
    """Images a second of `convert` and of its bound."""
    output, copies = scratch / "records", scratch / "copies"
    images = [LabelledImage(path.name, (0,)) for path in paths]
    source = ImageFiles(paths[0].parent, ["tag"], {"train": images}, size=size)
    bound = partial(copy_with_checksum, folder=copies) if size is None else resize_with_pillow
    seconds: dict[str, list[float]] = {"convert": [], "bound": []}
    for _ in range(ROUNDS):
        for folder in (output, copies):
            shutil.rmtree(folder, ignore_errors=True)
        copies.mkdir()
        start = time.perf_counter()
        convert(source, output, name="photographs", settings=source.settings)
        seconds["convert"].append(time.perf_counter() - start)
        start = time.perf_counter()
        over_processes(bound, paths)
        seconds["bound"].append(time.perf_counter() - start)
    ours, bare = (len(paths) / statistics.median(values) for values in seconds.values())
    return ours, bare


@click.command()
@click.option("--input", "input_dir", type=click.Path(path_type=Path), help="Corel5K's folder.")
@click.option("--images", default=6000, show_default=True, help="Number of files.")
def main(input_dir: Path | None, images: int) -> None:
    """Prints images a second and ratios."""
    import_tensorflow()
    print(f"{os.cpu_count()} cores, {images} files, {input_dir and 'Corel5K' or 'scenes'}")
    for name, size in (("192 x 128", None), ("500 x 375", (500, 375))):
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            paths = write_jpeg_files(scratch / "in", input_dir, images, size)
            kilobytes = sum(path.stat().st_size for path in paths) / images / 1000
            for what, stored, target in (("resized to 256", 256, 0.8), ("kept", None, 0.7)):
                ours, bare = compare(paths, stored, scratch)
                print(
                    f"{name} ({kilobytes:.0f} kB), {what}: {ours:,.0f} images/s, "
                    f"bound {bare:,.0f}, ratio {ours / bare:.2f} (target {target})"
                )


if __name__ == "__main__":
    main()
