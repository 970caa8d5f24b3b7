"""How fast `verify` reads a data set, beside decoding its images alone.

    python -m benchmarks.verify_rate [--input COREL5K] [--images 4000]

The images are 256 x 256 JPEG of quality 95. Alone means simplejpeg's decoding of the same bytes,
held in memory, in as many threads as there are cores. Both in turns; the medians of five are
compared.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import simplejpeg

from benchmarks.photographs import write_jpeg_files
from tfrecords_tools.convert import convert
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.verify import verify

ROUNDS = 5


def decode(images: list[bytes]) -> None:
    """Decodes to RGB and drops the result."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(lambda encoded: simplejpeg.decode_jpeg(encoded).size, images):
            pass


def seconds_of(work: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@click.command()
@click.option("--input", "input_dir", type=click.Path(path_type=Path), help="Corel5K's folder.")
@click.option("--images", "num_images", default=4000, show_default=True, help="Number of images.")
def main(input_dir: Path | None, num_images: int) -> None:
    """Prints images a second and their ratio."""
    import_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_jpeg_files(Path(folder) / "in", input_dir, num_images, (256, 256))
        images = [LabelledImage(path.name, (0,)) for path in paths]
        source = ImageFiles(paths[0].parent, ["tag"], {"train": images}, size=None)
        records = Path(folder) / "records"
        convert(source, records, name="photographs", settings=source.settings, progress=False)
        encoded = [path.read_bytes() for path in paths]
        seconds: dict[str, list[float]] = {"verify": [], "decode": []}
        for _ in range(ROUNDS):
            seconds["verify"].append(seconds_of(lambda: verify(records, progress=False)))
            seconds["decode"].append(seconds_of(lambda: decode(encoded)))
    ours, alone = (num_images / statistics.median(values) for values in seconds.values())
    kilobytes = sum(map(len, encoded)) / num_images / 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{os.cpu_count()} cores, {num_images} images of {kilobytes:.0f} kB, "
        f"{'Corel5K' if input_dir else 'scenes'}: verify {ours:,.0f} images/s, "
        f"decoding alone {alone:,.0f}, ratio {ours / alone:.2f}; peak memory {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
