"""How fast `verify` reads a data set, beside decoding its images alone.

    python -m benchmarks.verify_rate [--input COREL5K] [--images 8000]

The images are JPEG files of 256 x 256 pixels and quality 95. Decoding alone is simplejpeg's, of the
same bytes in memory, with one thread per core.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import simplejpeg

from benchmarks.measuring import input_option, measure_in_turns, ratio
from benchmarks.photographs import source_of, write_jpeg_files
from tfrecords_tools.convert import convert
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.verify import verify

ROUNDS = 5


def decode(images: list[bytes]) -> None:
    """Decodes images to RGB and drops the result."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(lambda encoded: simplejpeg.decode_jpeg(encoded).size, images):
            pass


@click.command()
@input_option
@click.option(
    "--images",
    "num_images",
    type=click.IntRange(1, 1_000_000),
    default=8000,
    show_default=True,
    help="Number of images.",
)
def main(input_dir: Path | None, num_images: int) -> None:
    """Images per second of `verify` and of decoding alone."""
    import_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_jpeg_files(Path(folder, "in"), input_dir, num_images, (256, 256))
        source, records = source_of(paths), Path(folder, "records")
        convert(source, records, name="photographs", settings=source.settings)
        encoded = [path.read_bytes() for path in paths]
        works = {"verify": partial(verify, records), "decoding": partial(decode, encoded)}
        seconds = measure_in_turns(works, ROUNDS)
    rates = num_images / seconds.median()
    click.echo(
        f"verify {rates['verify']:,.0f} images/s, decoding alone {rates['decoding']:,.0f}, ratio "
        f"{ratio(seconds, 'decoding', 'verify'):.2f}"
    )


if __name__ == "__main__":
    main()
