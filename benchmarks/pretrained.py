"""What the head of a pretrained network costs: its features, its search and its training.

    python -m benchmarks.pretrained --records RECORDS --weights FILE [--work FOLDER]

RECORDS is a folder of records at the size of the network, such as those of `convert corel5k --size
224`. The bound decodes the validation images and predicts them and their mirror images with the
bare network, by `predict`; ours also computes the hashes and writes the cache. Then the seconds and
the peak memory, in a process of its own, of the search and the training of one head over the kept
features of the training images.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import click
import pandas as pd

from benchmarks.measuring import (
    FOLDER,
    in_process,
    load_average,
    measure_in_turns,
    output_option,
    peak_megabytes,
    ratio,
    seconds_of,
    show,
)
from tfrecords_tools.options import PATH
from warptag.commands.common import import_tensorflow, show_progress
from warptag.experiments import EXPERIMENTS, Networks

ROUNDS = 3


@click.command()
@click.option("--records", type=FOLDER, required=True, help="Folder of records.")
@click.option("--weights", default="imagenet", show_default=True, help="imagenet, or a file.")
@click.option("--backbone", default="MobileNetV2", show_default=True, help="Its name.")
@click.option("--work", type=PATH, help="Folder that keeps the features of the training images.")
@output_option
def main(
    records: Path, weights: str, backbone: str, work: Path | None, output: Path | None
) -> None:
    """Features per second, and the seconds of a search and of the training after it."""
    import_tensorflow()
    show_progress()
    load = load_average()
    with tempfile.TemporaryDirectory() as folder:
        row = _measure(records, weights, backbone, work or Path(folder), Path(folder))
    show(pd.DataFrame([{**row, "load": round(load, 1)}]), output)


def _measure(
    records: Path, weights: str, backbone: str, work: Path, temporary: Path
) -> dict[str, object]:
    import tensorflow as tf

    from warptag.data import FeatureRecords, Records
    from warptag.models import FeatureNetwork
    from warptag.pipeline.pretrained import PretrainedNetworks
    from warptag.pipeline.train import with_pretrained

    choices = with_pretrained(EXPERIMENTS["corel5k"].networks, backbone, weights)
    size = choices.crop_size
    network = FeatureNetwork(backbone, (size, size, 3), weights)
    validation = Records(records, "validation")
    numbers = count()

    def ours() -> None:
        _ = FeatureRecords(validation, network, temporary / f"features-{next(numbers)}").features

    def bound() -> None:
        crops = validation.evaluation(crop_size=size, batch_size=32)
        both = crops.map(lambda images, _: tf.concat([images, images[:, :, ::-1]], axis=0))
        network.predict(both, verbose=0)

    # The first round traces the graphs.
    seconds = measure_in_turns({"ours": ours, "bound": bound}, 1 + ROUNDS)[1:]
    rates = 2 * len(validation) / seconds.median()
    networks = PretrainedNetworks("corel5k", choices, records, work / "features")
    for split in networks.training_data(work):
        _ = split.features
    once, megabytes = in_process(_search_and_train, choices, records, work)
    return {
        "backbone": backbone,
        "images_per_second": round(rates["ours"], 1),
        "bound": round(rates["bound"], 1),
        "ratio": round(ratio(seconds, "bound", "ours"), 2),
        "candidates": len(choices.grid["warp"]),
        "training_images": len(networks.records),
        "search_and_training_seconds": round(once, 1),
        "peak_megabytes": round(megabytes),
    }


def _search_and_train(choices: Networks, records: Path, work: Path) -> tuple[float, float]:
    """The seconds of a search and of the training after it, and the peak memory."""
    import_tensorflow()
    from warptag.pipeline.networks import settings_of
    from warptag.pipeline.train import train_network

    experiment = replace(EXPERIMENTS["corel5k"], networks=choices)
    settings = settings_of(choices, "warp")
    train = partial(train_network, experiment, settings, records=records, searched=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "features").symlink_to(work.resolve() / "features")
        return seconds_of(partial(train, Path(folder))), peak_megabytes()


if __name__ == "__main__":
    main()
