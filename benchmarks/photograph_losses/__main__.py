"""Which loss tags photographs best? Heads over the features of one pretrained network.

    python -m benchmarks.photograph_losses --input COREL5K --weights imagenet \\
        --work FOLDER --output docs/photograph_losses.csv

Corel5K's photographs are converted whole at the size of the network, and a head is trained with
each loss, as `warptag train` does it with a pretrained network. kNN, SVM, TagProp and 2PKNN are
fitted to the same features of the same photographs, divided by their length.

Settings are chosen on the validation photographs, by the mean of the per-class and the overall
recall of all words at 5 tags per image, as in `warptag.pipeline.search`. Every loss has the same
candidates: the learning rates `RATES`, three tenths and three times the best of them, and the best
of these three with weight decay. The rates are so far apart because the gradients of the losses
are: binary cross-entropy is a mean over the words, others are sums. The losses with a margin are as
good with rates far too high, with which scores are so large that the margin is nothing; so the best
of `RATES` is the lowest whose score is at most a point, the noise of one seed, below the highest.
Every annotator has 12 candidates. A warning is printed if the best value of a parameter is at an
end of those tried.

Then every loss is trained with several seeds, and the test photographs are scored. The metrics are
those of the literature: over the words that occur both in the training or validation photographs
and in the test photographs, 5 tags per image; N+ is a number of words.

Finished runs in the work folder are reused. Three files are written: FILE.csv with one row per
method, FILE_minus_warp.csv with the differences from WARP over paired seeds, and FILE_runs.csv
with every candidate and every run, and what they were made with. `--quick` tries less, for one
epoch, to see that everything runs; its numbers decide nothing.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import click
import pandas as pd

from benchmarks.measuring import FOLDER, peak_megabytes
from benchmarks.photograph_losses.cases import BATCH_SIZE, QUICK, RUN_COLUMNS, Budget, K
from benchmarks.photograph_losses.comparison import Comparison
from benchmarks.photograph_losses.tables import minus_reference, table_of
from tfrecords_tools.files import write_bytes
from warptag.experiments import EXPERIMENTS
from warptag.experiments.pretrained import BACKBONE, pretrained_networks
from warptag.models import default_size
from warptag.pipeline.data import convert_photographs
from warptag.pipeline.pretrained import PretrainedNetworks


@click.command()
@click.option("--input", "input_dir", type=FOLDER, required=True, help="Folder of Corel5K.")
@click.option("--weights", required=True, help="imagenet, or a file of weights of the network.")
@click.option("--backbone", default=BACKBONE, show_default=True, help="Of keras.applications.")
@click.option("--seeds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), help="Folder of the runs.")
@click.option("--output", type=click.Path(path_type=Path), help="The table as CSV.")
@click.option("--quick", is_flag=True, help="One epoch, to see that everything runs.")
def main(
    input_dir: Path,
    weights: str,
    backbone: str,
    seeds: int,
    work: Path | None,
    output: Path | None,
    quick: bool,
) -> None:
    """Prints which loss tags photographs best, and writes the tables as CSV."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        work = work or Path(temporary)
        choices = pretrained_networks(backbone, weights, default_size(backbone), K)
        choices = replace(choices, training={**choices.training, "batch_size": BATCH_SIZE})
        photographs: Any = EXPERIMENTS["corel5k"].data
        settings = {"size": choices.crop_size}
        convert_photographs(photographs, settings, input_dir, work / "data")
        networks = PretrainedNetworks("corel5k", choices, work / "data", work / "features")
        comparison = Comparison(networks, work, QUICK if quick else Budget())
        comparison.measure(range(seeds))
    runs = pd.DataFrame(comparison.runs, columns=list(RUN_COLUMNS))
    tables = {
        "": table_of(runs),
        "_minus_warp": minus_reference(runs),
        "_runs": runs.convert_dtypes(),
    }
    for name, table in tables.items():
        if name != "_runs":
            click.echo(f"\n{table.to_string(index=False)}")
        if output is not None:
            path = output.with_name(f"{output.stem}{name}.csv")
            write_bytes(path, table.to_csv(index=False).encode())
    click.echo(f"\n{date.today()}, peak memory {peak_megabytes():,.0f} MB")


if __name__ == "__main__":
    main()
