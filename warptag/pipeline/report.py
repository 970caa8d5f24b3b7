"""The report page of a folder, from its results or, if it has none, from its trained runs."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_json
from tfrecords_tools.lock import one_at_a_time
from warptag.baselines import most_frequent_scores, upper_bound_scores
from warptag.csv_tables import read_numbers
from warptag.data import Records
from warptag.experiments import EXPERIMENTS
from warptag.methods import LOSSES, METHOD, method_of
from warptag.pipeline.evaluate import check_tags
from warptag.pipeline.networks import Run, is_synthetic
from warptag.pipeline.results import SCORED, write_all
from warptag.reporting import Evaluation, table_paths, write_page
from warptag.training import load_calibration, load_run, predict
from warptag.training.checkpoint import HISTORY
from warptag.training.run_folder import SETTINGS, load_measured

logger = logging.getLogger(__name__)

KS = (3, 5)
#: The settings of a run that the tables and the page need.
SHOWN = (
    *("loss", "patches", "crop_size", "network", "epochs", "batch_size", "learning_rate"),
    "data_checksum",
)


class NoRecords(InputError):
    """The folder of records to score does not exist."""


@one_at_a_time("directory")
def report(directory: Path, *, records: Path | None = None, split: str = "test") -> list[Path]:
    """Makes the report page of a folder.

    If the folder contains tables of `warptag reproduce`, the page is made from the files there.
    Otherwise the trained runs in it (`models/LOSS` and `models/LOSS-seedN`) score a split of the
    records, and tables, plots and page are written to the folder, or for the folder of a single
    run to `report` in it.

    Args:
        directory: a folder of results, of `warptag train`, or of one run.
        records: a folder of records with the tags of the runs; `directory/data` by default.
        split: the split that is scored.

    Returns:
        The files written, the page last.

    Raises:
        InUse: another process writes to the folder.
        NoRecords: there are runs to score, but no records.
        InputError: the folder contains neither tables nor runs, a file in it is damaged, or the
            runs have other tags than the records.
    """
    data = records or directory / "data"
    if table_paths(directory) and not ((directory / SCORED).exists() and data.is_dir()):
        if records is not None:
            raise InputError(
                f"{directory} already contains tables, which the page shows; to score other "
                f"records, copy {directory / 'models'} to another folder"
            )
        return [write_page(directory)]
    folders = _run_folders(directory)
    if not folders:
        raise InputError(
            f"{directory} contains neither tables (table_k3.csv) nor trained runs (models/warp); "
            "expected a folder such as results/scenes, or the output folder of `warptag train`"
        )
    if not data.is_dir():
        raise NoRecords(f"{data} is not a folder of records")
    test = Records(data, split)
    runs = _score(folders, test)
    if (directory / SETTINGS).exists():
        # The folder of the run contains files of the same names.
        directory = directory / "report"
    # Without training images, the scored images give the tag frequencies.
    fit = Records(data, "train" if "train" in test.info.splits else split)
    command = "warptag report DIR" + (" --records RECORDS" if records else "")
    written = write_all(
        _evaluation(runs, fit, test),
        directory,
        runs=runs,
        notes=_notes(runs, fit, test),
        command=command + (f" --split {split}" if split != "test" else ""),
        photographs=test,
        find_label_errors=True,
    )
    write_json(directory / SCORED, {"split": split})
    return written


def _run_folders(directory: Path) -> list[Path]:
    """The runs of a folder, by loss and then by seed."""
    if (directory / SETTINGS).exists():
        return [directory]
    folders = []
    for loss in LOSSES:
        found = (directory / "models").glob(f"{loss}-seed[0-9]*")
        seeds = sorted(found, key=lambda path: (len(path.name), path.name))
        first = directory / "models" / loss
        folders += [path for path in (first, *seeds) if (path / SETTINGS).exists()]
    return folders


def _score(folders: list[Path], test: Records) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = defaultdict(list)
    for folder in folders:
        model, settings = load_run(folder, needs=SHOWN)
        check_tags(settings["tag_names"], test.info.tag_names, folder, test.directory)
        logger.info("%s: scoring %s images of %s", folder, f"{len(test):,}", test.directory)
        scores = predict(model, test, settings["patches"])
        history = read_numbers(folder / HISTORY, ("epoch", "loss"), "train the run again")
        measured = load_measured(folder) or {}
        runs[method_of(settings).id].append(
            Run(settings, history, scores, load_calibration(folder), measured)
        )
    return runs


def _evaluation(runs: Mapping[str, list[Run]], fit: Records, test: Records) -> Evaluation:
    info, num_tags = test.info, len(test.info.tag_names)
    title = EXPERIMENTS[info.name].title if info.name in EXPERIMENTS else info.name
    return Evaluation(
        tag_names=info.tag_names,
        test_labels=test.labels,
        train_counts=fit.tag_counts,
        scores={
            "upper_bound": [upper_bound_scores(test.labels)],
            **{method: [run.scores for run in some] for method, some in runs.items()},
            "most_frequent": [most_frequent_scores(fit.labels, len(test))],
        },
        # Given all tags, every method would have the same metrics.
        ks=tuple(k for k in KS if k < num_tags) or (1,),
        synthetic=is_synthetic(info.name),
        title=title if test.split == "test" else f"{title}, split {test.split}",
        dataset=info.name,
    )


def _notes(runs: Mapping[str, list[Run]], fit: Records, test: Records) -> list[str]:
    checksum = test.info.checksum
    notes = [
        f"Data: {test.info.name}, {len(fit):,} images of {fit.split} to fit, {len(test):,} of "
        f"{test.split} to test; checksum {checksum[:16]}."
    ]
    for method, some in runs.items():
        settings = some[0].settings
        notes.append(
            f"{METHOD[method].label}: {len(some)} {'run' if len(some) == 1 else 'runs'}, "
            f"{settings['epochs']} epochs, batch {settings['batch_size']}, learning rate "
            f"{settings['learning_rate']:g}, crops of {settings['crop_size']} pixels, test "
            f"patches: {settings['patches']}, network {_network(settings)}."
        )
    if any(run.settings["data_checksum"] != checksum for some in runs.values() for run in some):
        notes.append("The runs were trained on other records than these.")
    return notes


def _network(settings: Mapping[str, Any]) -> str:
    """The network of a run: what it was pretrained on, or the arguments of its architecture."""
    network = dict(settings["network"])
    if not method_of(settings).pretrained:
        return str(network)
    backbone, weights = network.pop("backbone", "of unknown kind"), network.pop("weights")
    origin = "on ImageNet" if weights == "imagenet" else f"with a file of weights, {weights}"
    more = [f"{name.replace('_', ' ')} {value}" for name, value in network.items()]
    tuned = ["all weights fine-tuned"] if "head" in settings else []
    return ", ".join([f"{backbone} pretrained {origin}", *tuned, *more])
