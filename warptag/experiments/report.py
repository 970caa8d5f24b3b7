"""The results of a folder shown again, or those of trained runs made for the first time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json, write_bytes
from warptag.baselines import most_frequent_scores, upper_bound_scores
from warptag.data import Records
from warptag.experiments import TRAINABLE, load_experiment
from warptag.experiments.evaluate import check_tags
from warptag.experiments.experiment import METHODS
from warptag.experiments.networks import Run
from warptag.experiments.reproduce import probabilities_of, sample_images
from warptag.experiments.runs import write_runs
from warptag.reporting import Evaluation, table_paths, write_page, write_results
from warptag.training import load_calibration, load_run, predict
from warptag.training.checkpoint import HISTORY
from warptag.training.run_folder import MEASURED, SETTINGS

KS = (3, 5)
#: Settings of a run that the tables and the page need.
SHOWN = (
    *("loss", "patches", "crop_size", "network", "epochs", "batch_size", "learning_rate"),
    "data_checksum",
)
#: Begins command.txt of what is made here.
COMMAND = "warptag report"


def report(
    directory: Path,
    *,
    records: Path | None = None,
    split: str = "test",
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Make the report page of a folder.

    With tables of `warptag reproduce` in the folder, the page is made of the files there. Else the
    trained runs in it (`models/LOSS` and `models/LOSS-seedN`) score a split of the records, and
    tables, plots and page are written into the folder, or for one run's own folder into `report`
    in it.

    Args:
        directory: a folder of results, of `warptag train`, or of one run.
        records: a folder of records with the runs' tags; `directory/data` by default.
        split: what is scored.
        say: called with one line for each run that is scored.

    Returns:
        The files written, the page last.

    Raises:
        InputError: the folder holds neither tables nor runs, a file in it is damaged, or runs and
            records do not fit.
    """
    data = records or directory / "data"
    if table_paths(directory) and not (_made_here(directory) and data.is_dir()):
        if records is not None:
            raise InputError(
                f"{directory} holds tables already, and the page shows these; to score other "
                f"records, copy {directory / 'models'} to a folder of its own"
            )
        return [write_page(directory)]
    folders = _run_folders(directory)
    if not folders:
        raise InputError(
            f"{directory} holds neither tables (table_k3.csv) nor trained runs (models/warp); "
            "expected a folder such as results/scenes, or the --output of `warptag train`"
        )
    if not data.is_dir():
        raise InputError(f"{data} is not a folder of records; name one with --records DIR")
    test = Records(data, split)
    runs = _score(folders, test, data, say)
    if (directory / SETTINGS).exists():
        # The run has files of the same names.
        directory = directory / "report"
    fit = Records(data, _training_split(test))
    evaluation = _evaluation(runs, fit, test)
    histories = {method: [run.history for run in some] for method, some in runs.items()}
    lines = _settings_lines(runs, fit, test)
    written = write_results(
        evaluation,
        directory,
        histories,
        sample_images(test),
        lines,
        probabilities=probabilities_of(runs),
    )
    every_run = [run for some in runs.values() for run in some]
    write_runs(every_run, test.labels, evaluation.ks, directory / "runs.csv")
    command = f"{COMMAND} DIR" + (" --records RECORDS" if records else "")
    command += f" --split {split}" if split != "test" else ""
    return [
        *written,
        directory / "runs.csv",
        write_bytes(directory / "command.txt", f"{command}\n".encode()),
        write_page(directory),
    ]


def _made_here(directory: Path) -> bool:
    """Whether the tables in the folder are an earlier report's, to be made again."""
    try:
        return (directory / "command.txt").read_text(encoding="utf-8").startswith(COMMAND)
    except (OSError, ValueError):
        return False


def _run_folders(directory: Path) -> list[Path]:
    """The runs of a folder, by loss and then by seed."""
    if (directory / SETTINGS).exists():
        return [directory]
    folders = []
    for loss in METHODS:
        found = (directory / "models").glob(f"{loss}-seed[0-9]*")
        seeds = sorted(found, key=lambda path: (len(path.name), path.name))
        first = directory / "models" / loss
        folders += [path for path in (first, *seeds) if (path / SETTINGS).exists()]
    return folders


def _score(
    folders: list[Path], test: Records, data: Path, say: Callable[[str], None]
) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = defaultdict(list)
    for folder in folders:
        model, settings = load_run(folder)
        missing = [name for name in SHOWN if name not in settings]
        if missing:
            raise InputError(f"{folder / SETTINGS} has no {missing[0]}; train again with --restart")
        check_tags(settings["tag_names"], test.info.tag_names, folder, data)
        say(f"{folder}: {len(test):,} images of {data}, {test.split}")
        scores = predict(model, test, settings["patches"])
        try:
            history = pd.read_csv(folder / HISTORY)
            if not {"epoch", "loss"} <= set(history):
                raise ValueError("it has no columns epoch and loss")
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder / HISTORY} cannot be read ({str(error).splitlines()[0]}); train again "
                "with --restart"
            ) from error
        measured = read_json(folder / MEASURED) or {}
        runs[settings["loss"]].append(
            Run(settings, history, scores, load_calibration(folder), measured)
        )
    return runs


def _training_split(test: Records) -> str:
    """Where the tags' frequencies come from; a data set without training images has its own."""
    return "train" if "train" in test.info.splits else test.split


def _evaluation(runs: dict[str, list[Run]], fit: Records, test: Records) -> Evaluation:
    name, num_tags = test.info.name, len(test.info.tag_names)
    known = load_experiment(name) if name in TRAINABLE else None
    title = known.title if known else name
    return Evaluation(
        tag_names=test.info.tag_names,
        test_labels=test.labels,
        train_counts=fit.tag_counts,
        scores={
            "upper_bound": [upper_bound_scores(test.labels)],
            **{method: [run.scores for run in some] for method, some in runs.items()},
            "most_frequent": [most_frequent_scores(fit.labels, len(test))],
        },
        # With as many tags given as there are, every method is right about all of them.
        ks=tuple(k for k in KS if k < num_tags) or (1,),
        synthetic=bool(known and known.synthetic),
        title=title if test.split == "test" else f"{title}, split {test.split}",
        dataset=known.source if known else name,
    )


def _settings_lines(runs: dict[str, list[Run]], fit: Records, test: Records) -> list[str]:
    lines = [
        f"Data: {test.info.name}, {len(fit):,} images of {fit.split} to fit, {len(test):,} of "
        f"{test.split} to test; checksum {test.info.checksum[:16]}."
    ]
    for loss, some in runs.items():
        settings = some[0].settings
        lines.append(
            f"{METHODS[loss]}: {len(some)} {'run' if len(some) == 1 else 'runs'}, "
            f"{settings['epochs']} epochs, batch {settings['batch_size']}, learning rate "
            f"{settings['learning_rate']:g}, crops of {settings['crop_size']} pixels, test "
            f"patches: {settings['patches']}, network {settings['network']}."
        )
    if any(
        run.settings["data_checksum"] != test.info.checksum
        for some in runs.values()
        for run in some
    ):
        lines.append("The runs were trained on other records than these.")
    return lines
