"""The records of an experiment, made from its source where they are not there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import DamagedDataset, InputError, OtherDataset
from tfrecords_tools.schema import INFO_FILE, DatasetInfo
from tfrecords_tools.sources import source_class
from warptag.experiments import EXPERIMENTS, load_experiment
from warptag.experiments.experiment import Experiment


def convert_data(
    experiment: Experiment,
    source_settings: dict[str, Any],
    input_dir: Path | None,
    data: Path,
    say: Callable[[str], None],
) -> DatasetInfo:
    """Convert the experiment's pictures to records, or check that those there still stand.

    Args:
        experiment: whose source is read.
        source_settings: arguments of the source.
        input_dir: folder of the original data set, where the source needs one.
        data: folder of the records.
        say: called with a line where records are made again.

    Raises:
        InputError: the input cannot be used, or the folder holds records of another source.
    """
    source_type = source_class(experiment.source)
    if experiment.needs_input:
        if input_dir is None:
            raise InputError(f"{experiment.name} needs --input DIR, the original data set's folder")
        source = source_type(input_dir, **source_settings)
    else:
        source = source_type(**source_settings)
    for note in getattr(source, "notes", ()):
        say(f"    {note}")
    make = partial(convert, source, data, name=experiment.source, settings=source.settings)
    if not (data / INFO_FILE).exists():
        return make()
    there = DatasetInfo.load(data).name
    if there != experiment.source:
        raise InputError(
            f"{data} holds records of {there}, not of {experiment.source}; choose another --output"
        )
    try:
        return make()
    except (OtherDataset, DamagedDataset) as error:
        say(f"    The records are made again: {error}")
        return make(overwrite=True)


def is_synthetic(info: DatasetInfo) -> bool:
    """Whether the images are rendered: the records are those of an experiment whose images are."""
    experiments = [load_experiment(name) for name in EXPERIMENTS]
    return any(some.synthetic and some.source == info.name for some in experiments)
