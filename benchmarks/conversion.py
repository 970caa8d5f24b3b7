"""How fast photographs become records, beside what bounds the rate.

    python -m benchmarks.conversion [--input COREL5K] [--images 6000]

With resizing: `convert` to 256 x 256 beside Pillow's decode, resize and encode alone, in as many
processes over the same files. Without: beside a copy of each file with its SHA-256. Each run
includes the start of its processes.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import click
import pandas as pd
from PIL import Image

from benchmarks.measuring import input_option, measure_in_turns, ratio, show
from benchmarks.photographs import source_of, write_jpeg_files
from tfrecords_tools.convert import convert
from tfrecords_tools.images import JPEG_QUALITY, RESAMPLING
from tfrecords_tools.quiet import import_tensorflow

ROUNDS = 3
FILES_PER_TASK = 64


def resize_with_pillow(path: Path) -> None:
    """Decodes, resizes and encodes an image, and drops the result."""
    with Image.open(path) as stored:
        image = stored.convert("RGB").resize((256, 256), RESAMPLING)
    image.save(io.BytesIO(), "JPEG", quality=JPEG_QUALITY)


def copy_with_checksum(path: Path, folder: Path) -> None:
    """Copies a file and computes its SHA-256."""
    content = path.read_bytes()
    hashlib.sha256(content).hexdigest()
    (folder / path.name).write_bytes(content)


def over_processes(work: Callable[[Path], None], paths: list[Path]) -> None:
    """Distributes the files over as many processes as there are cores."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(work, paths, chunksize=FILES_PER_TASK))


def compare(paths: list[Path], size: int | None, scratch: Path) -> pd.DataFrame:
    """The seconds of `convert` and of its bound in each round."""
    output, copies = scratch / "records", scratch / "copies"
    source = source_of(paths, size)
    bound = partial(copy_with_checksum, folder=copies) if size is None else resize_with_pillow

    def convert_anew() -> None:
        shutil.rmtree(output, ignore_errors=True)
        convert(source, output, name="photographs", settings=source.settings)

    copies.mkdir(exist_ok=True)
    works = {"convert": convert_anew, "bound": partial(over_processes, bound, paths)}
    return measure_in_turns(works, ROUNDS)


@click.command()
@input_option
@click.option(
    "--images",
    type=click.IntRange(1, 1_000_000),
    default=6000,
    show_default=True,
    help="Number of files.",
)
def main(input_dir: Path | None, images: int) -> None:
    """Images per second of the conversion and of its bound."""
    import_tensorflow()
    rows = []
    for name, stored_size in (("192 x 128", None), ("500 x 375", (500, 375))):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_jpeg_files(Path(folder, "in"), input_dir, images, stored_size)
            for what, size in (("resized to 256", 256), ("kept", None)):
                seconds = compare(paths, size, Path(folder))
                rates = images / seconds.median()
                rows.append(
                    {
                        "photographs": f"{name}, {what}",
                        "images_per_second": round(rates["convert"]),
                        "bound": round(rates["bound"]),
                        "ratio": round(ratio(seconds, "bound", "convert"), 2),
                    }
                )
    show(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
