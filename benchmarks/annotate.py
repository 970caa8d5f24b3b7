"""How fast photographs are tagged, beside the bare rate of decoding and predicting them.

    python -m benchmarks.annotate --model RUN [--input COREL5K] [--images 1000]

The bound reads and resizes every file in threads, one a core, and when all are in memory runs the
network on batches of them; `annotate` is the whole command without its start, CSV included. In
turns; the medians of three are compared. Then the whole command for one photograph, as a process,
beside the import of TensorFlow alone.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from benchmarks.photographs import write_jpeg_files
from warptag.commands.common import import_tensorflow

ROUNDS = 3
BATCH_SIZE = 64
IMPORT = "from warptag.commands.common import import_tensorflow; import_tensorflow()"


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@click.command()
@click.option("--model", "run", type=click.Path(path_type=Path), required=True)
@click.option("--input", "input_dir", type=click.Path(path_type=Path), help="Corel5K's folder.")
@click.option("--images", default=1000, show_default=True, help="Number of files.")
def main(run: Path, input_dir: Path | None, images: int) -> None:
    """Prints photographs a second, their ratio, and the seconds of one photograph."""
    import_tensorflow()
    import tensorflow as tf

    from warptag.annotation.job import annotate_photographs, make_writer
    from warptag.annotation.tagger import Tagger
    from warptag.data.crops import fixed_crops
    from warptag.training.run_folder import load_run

    tagger = Tagger(run)
    model, settings = load_run(run)
    size = settings["crop_size"]

    @tf.function(reduce_retracing=True)
    def predict(encoded, height, width):
        batch = {"encoded": encoded, "height": height, "width": width}
        return model(fixed_crops(batch, size, "center")[:, 0])

    def bound(paths: list[Path]) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            loaded = list(pool.map(tagger.load, paths))
        for first in range(0, len(loaded), BATCH_SIZE):
            encoded, heights, widths = zip(*loaded[first : first + BATCH_SIZE], strict=True)
            predict(tf.constant(encoded), tf.constant(heights), tf.constant(widths)).numpy()

    print(f"{os.cpu_count()} cores, {images} files, {input_dir and 'Corel5K' or 'scenes'}, {run}")
    for name, stored_size in (("192 x 128", None), ("1600 x 1200", (1600, 1200))):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_jpeg_files(Path(folder, "in"), input_dir, images, stored_size)

            def annotate(paths: list[Path] = paths, folder: str = folder) -> None:
                output = Path(folder, "tags.csv")
                writer = make_writer("csv", output, False, tagger, 5, None)
                annotate_photographs(tagger, paths, writer, 5, None, len(paths))

            bound(paths[:BATCH_SIZE]), annotate(paths[:BATCH_SIZE])  # traces both graphs
            rounds = [
                (seconds_of(annotate), seconds_of(lambda paths=paths: bound(paths)))
                for _ in range(ROUNDS)
            ]
            ours, bare = (images / statistics.median(some) for some in zip(*rounds, strict=True))
            print(
                f"{name}: {ours:,.0f} photographs/s, bound {bare:,.0f}, ratio {ours / bare:.2f} "
                "(target 0.8)"
            )
            command = [sys.executable, "-m", "warptag.cli", "annotate", str(paths[0])]
            command += ["--model", str(run)]
            once = [
                (
                    seconds_of(
                        lambda c=command: subprocess.run(c, check=True, capture_output=True)
                    ),
                    seconds_of(lambda: subprocess.run([sys.executable, "-c", IMPORT], check=True)),
                )
                for _ in range(ROUNDS)
            ]
            whole, imports = (statistics.median(some) for some in zip(*once, strict=True))
            print(f"    one: {whole:.1f} s (target 6), {imports:.1f} s of it TensorFlow's import")


if __name__ == "__main__":
    main()
