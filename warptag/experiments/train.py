"""One training run of an experiment, on its own data or on any records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from warptag.experiments.assignments import assign
from warptag.experiments.data import convert_data
from warptag.experiments.experiment import METHODS, Experiment
from warptag.experiments.networks import Networks
from warptag.training.strategy import task_of


def train_experiment(
    experiment: Experiment,
    loss: str,
    output: Path,
    *,
    records: Path | None = None,
    input_dir: Path | None = None,
    assignments: Sequence[str] = (),
    strategy: str = "auto",
    say: Callable[[str], None] = print,
    **options: Any,
) -> Path:
    """Train, or go on with, one network.

    Args:
        experiment: data, network and training.
        loss: "softmax", "ranking" or "warp".
        output: the run's folder is `models/LOSS` in it, and the data `data`.
        records: a folder of records to train on instead of the experiment's data.
        input_dir: folder of the original data set, where the source needs one.
        assignments: changes to the experiment's choices, see `assignments.assign`.
        strategy: one of `warptag.training.STRATEGIES`.
        say: called with a line at a time.
        **options: of `warptag.training.train`.

    Returns:
        The run's folder.

    Raises:
        InputError: something is wrong with the input, the settings or the output.
    """
    settings = experiment.settings_for(loss, experiment.training.seed, experiment.chosen[loss])
    experiment, settings = assign(experiment, settings, assignments)
    if records is None:
        task = task_of(strategy)
        if task is not None and "ps" not in task.cluster:
            raise InputError(
                "several machines that share each batch need --records DIR, one folder of records "
                "that each of them can read"
            )
        records = output / "data"
        convert_data(experiment, experiment.source_settings, input_dir, records, say)
    networks = Networks(experiment, records, strategy)
    directory = output / "models" / loss
    name = f"{METHODS[loss]}, seed {settings.seed}"
    _, history = networks.train(name, settings, directory, **options)
    say(f"{directory}: {len(history)} epochs, loss {history['loss'].iloc[-1]:.3f}")
    return directory
