"""How fast `verify` reads a data set, beside decoding its images alone.

    python -m benchmarks.verify_rate [--input COREL5K] [--images 8000]

The images are JPEG files of 256 x 256 pixels and quality 95. Decoding alone is simplejpeg's, of the
same bytes in memory, with one thread per core. Both take turns, and the medians of five rounds are
compared. If other programs use the processor, the ratio of processor times says more.
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
    """Decodes images to RGB and drops the result."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(lambda encoded: simplejpeg.decode_jpeg(encoded).size, images):
            pass


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """The seconds of one call, and its processor seconds over all cores."""
    start, start_of_processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - start_of_processor


@click.command()
@click.option("--input", "input_dir", type=click.Path(path_type=Path), help="Corel5K's folder.")
@click.option("--images", "num_images", default=8000, show_default=True, help="Number of images.")
def main(input_dir: Path | None, num_images: int) -> None:
    """Prints images per second and their ratio."""
    import_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_jpeg_files(Path(folder) / "in", input_dir, num_images, (256, 256))
        images = [LabelledImage(path.name, (0,)) for path in paths]
        source = ImageFiles(paths[0].parent, ["tag"], {"train": images}, size=None)
        records = Path(folder) / "records"
        convert(source, records, name="photographs", settings=source.settings)
        encoded = [path.read_bytes() for path in paths]
        rounds = [
            (timed(lambda: verify(records)), timed(lambda: decode(encoded))) for _ in range(ROUNDS)
        ]
    ours, alone = (
        [statistics.median(values) / num_images for values in zip(*times, strict=True)]
        for times in zip(*rounds, strict=True)
    )
    kilobytes = sum(map(len, encoded)) / num_images / 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{os.cpu_count()} cores, {num_images} images of {kilobytes:.0f} kB, "
        f"{'Corel5K' if input_dir else 'scenes'}: verify {1 / ours[0]:,.0f} images/s, decoding "
        f"alone {1 / alone[0]:,.0f}, ratio {alone[0] / ours[0]:.2f}; processor time per image "
        f"{1e6 * ours[1]:.0f} and {1e6 * alone[1]:.0f} us, ratio {alone[1] / ours[1]:.2f}; "
        f"peak memory {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
