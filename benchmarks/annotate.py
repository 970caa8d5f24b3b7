"""How fast photographs are tagged, beside the bare rate of decoding and predicting them.

    python -m benchmarks.annotate --model RUN [--input COREL5K] [--images 1000]

The bound reads and resizes every file with one thread per core and then runs the network on
batches; `annotate` is the whole command without its start, CSV included. Then the whole command for
one photograph, as a process, beside the import of TensorFlow alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import pandas as pd

from benchmarks.measuring import FOLDER, input_option, measure_in_turns, ratio, show
from benchmarks.photographs import write_jpeg_files
from warptag.commands.common import import_tensorflow

ROUNDS = 3
BATCH_SIZE = 64
IMPORT = "from warptag.commands.common import import_tensorflow; import_tensorflow()"


@click.command()
@click.option("--model", "run", type=FOLDER, required=True, help="Folder of a finished run.")
@input_option
@click.option(
    "--images",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Number of files.",
)
def main(run: Path, input_dir: Path | None, images: int) -> None:
    """Photographs per second, and the seconds of one photograph."""
    import_tensorflow()
    import tensorflow as tf

    from warptag.annotation.job import annotate_photographs, make_writer
    from warptag.annotation.tagger import Tagger
    from warptag.data.crops import fixed_crops
    from warptag.training.run_folder import load_run

    tagger = Tagger(run)
    model, settings = load_run(run)

    @tf.function(reduce_retracing=True)
    def predict(encoded, height, width):
        batch = {"encoded": encoded, "height": height, "width": width}
        return model(fixed_crops(batch, settings["crop_size"], "center")[:, 0])

    def bound(paths: list[Path]) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            loaded = list(pool.map(tagger.load, paths))
        for first in range(0, images, BATCH_SIZE):
            encoded, heights, widths = zip(*loaded[first : first + BATCH_SIZE], strict=True)
            predict(tf.constant(encoded), tf.constant(heights), tf.constant(widths)).numpy()

    def annotate(paths: list[Path]) -> None:
        output = paths[0].with_suffix(".csv")
        writer = make_writer("csv", output, False, tagger, 5, None)
        annotate_photographs(tagger, paths, writer, 5, None, len(paths))

    rows = []
    for name, size in (("192 x 128", None), ("1600 x 1200", (1600, 1200))):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_jpeg_files(Path(folder, "in"), input_dir, images, size)
            # The first round traces the graphs.
            works = {"annotate": partial(annotate, paths), "bound": partial(bound, paths)}
            seconds = measure_in_turns(works, 1 + ROUNDS)[1:]
            command = [sys.executable, "-m", "warptag.cli", "annotate", paths[0], "--model", run]
            commands = {"annotate": command, "import": [sys.executable, "-c", IMPORT]}
            once = measure_in_turns(
                {
                    name: partial(subprocess.run, command, check=True, capture_output=True)
                    for name, command in commands.items()
                },
                ROUNDS,
            ).median()
        rates = images / seconds.median()
        rows.append(
            {
                "photographs": name,
                "per_second": round(rates["annotate"]),
                "bound": round(rates["bound"]),
                "ratio": round(ratio(seconds, "bound", "annotate"), 2),
                "seconds_of_one": round(once["annotate"], 1),
                "seconds_of_import": round(once["import"], 1),
            }
        )
    show(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
