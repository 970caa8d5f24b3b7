"""What a larger network, dropout and the batch are worth to the paper's losses on rendered scenes.

    python -m benchmarks.network_choices --output docs/network_choices.csv

Every value is tried with each loss, one setting at a time, as in the search for the settings that
the losses share; everything else is as in `scenes`. Finished runs in `--work` are reused.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.experiments import EXPERIMENTS, Photographs
from warptag.methods import PAPER_LOSSES
from warptag.pipeline.data import load_data
from warptag.pipeline.networks import Networks
from warptag.pipeline.search import search_shared
from warptag.training.run_folder import load_measured

CHOICES = {
    "dropout": (0.0, 0.1, 0.3, 0.6),
    "width": (0.0625, 0.125, 0.25),
    "dense_units": (256, 512, 1024),
    "first_stride": (2, 3, 4),
    "batch_size": (16, 32, 64),
}


def network_choices(work: Path, train: int, epochs: int) -> pd.DataFrame:
    """One row per value: setting with value, score, the score of each loss, and the seconds.

    Args:
        work: the folder of the records and the runs.
        train: the number of training pictures.
        epochs: the number of epochs of each run.
    """
    scenes = EXPERIMENTS["scenes"]
    assert isinstance(scenes.data, Photographs) and scenes.networks is not None
    photographs = replace(scenes.data, settings={**scenes.data.settings, "train": train})
    folder = load_data(photographs, None, work).folder
    assert folder is not None
    declared = replace(scenes.networks, shared_grid=CHOICES, search_epochs=epochs)
    runs = work / "models"
    table = search_shared(partial(Networks, scenes.name, folder=folder), declared, runs)

    def seconds(row: pd.Series) -> float:
        folders = (runs / f"{loss}-{row['setting']}-{row['value']}" for loss in PAPER_LOSSES)
        return sum((load_measured(one) or {"seconds": math.nan})["seconds"] for one in folders)

    table["seconds"] = table.apply(seconds, axis=1).round()
    table["setting"] = table["setting"].str.replace("_", " ") + " " + table["value"]
    return table[["setting", "score", *PAPER_LOSSES, "seconds"]].round(3)


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The table as CSV.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder of the records and the runs.")
@click.option("--train", default=12_000, show_default=True, help="Number of training pictures.")
@click.option("--epochs", default=3, show_default=True, help="Number of epochs.")
def main(output: Path, work: Path | None, train: int, epochs: int) -> None:
    """Writes the mean of per-class and overall recall on the validation pictures of scenes."""
    with tempfile.TemporaryDirectory() as temporary:
        table = network_choices(work or Path(temporary), train, epochs)
    write_bytes(output, table.to_csv(index=False).encode())
    click.echo(table.to_string(index=False))


if __name__ == "__main__":
    main()
