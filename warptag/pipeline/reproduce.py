"""Carries out an experiment, from its data to both tables. Finished steps are reused."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tfrecords_tools.files import write_bytes
from tfrecords_tools.lock import one_at_a_time
from warptag.baselines import most_frequent_scores, upper_bound_scores
from warptag.data import Records
from warptag.experiments import EXPERIMENTS, Experiment, Photographs
from warptag.experiments import Networks as NetworkChoices
from warptag.methods import METHOD, PAPER_LOSSES, network_method
from warptag.pipeline import side_by_side
from warptag.pipeline.data import Data, check_ks, convert_photographs, load_data
from warptag.pipeline.features import FeatureResults, feature_results
from warptag.pipeline.networks import Networks, Run, settings_of
from warptag.pipeline.pretrained import PretrainedNetworks
from warptag.pipeline.results import write_all
from warptag.pipeline.search import chosen_settings, chosen_shared, listed, search, search_shared
from warptag.pipeline.side_by_side import Task
from warptag.reporting import Evaluation
from warptag.training import TrainingSettings

logger = logging.getLogger(__name__)


@one_at_a_time("output")
def reproduce(
    experiment: Experiment,
    output: Path,
    *,
    input_dir: Path | None = None,
    search_again: bool = False,
    tensorboard: bool = False,
    command: str = "",
) -> list[Path]:
    """Converts the data, fits every method, and writes tables, plots and runs.csv.

    Call it again to resume after an interruption. Finished steps are reused; only changed ones
    run. The logger "warptag" reports each step at level INFO.

    Args:
        experiment: the experiment.
        output: the folder of the results; working files go to `data`, `models` and `baselines`
            in it.
        input_dir: the folder of the original data set, if the experiment needs one.
        search_again: whether to search the settings of the networks again, and to write
            search_shared.csv and search.csv.
        tensorboard: whether to write logs for TensorBoard beside each model.
        command: the command line, for command.txt.

    Returns:
        The files written.

    Raises:
        InUse: another process writes to the output folder.
        InputError: the input cannot be used, or the output folder contains other data.
        TrainingDiverged: the loss of a final run became NaN.
    """
    steps = _Steps(experiment, search_again)
    steps.next(f"Data: {experiment.title}")
    data = load_data(experiment.data, input_dir, output)
    check_ks(experiment.ks, data.tag_names)
    scores = _bounds(data, experiment.seeds)
    notes = list(data.description)
    choices, networks = experiment.networks, None
    planned: _Planned = {}
    tasks: list[Task] = []
    if choices is not None:
        assert data.folder is not None
        make = partial(Networks, experiment.name, folder=data.folder, tensorboard=tensorboard)
        if search_again:
            steps.next("Search: the settings that the losses share, and those of each loss")
            choices = replace(_search(make, choices, output), searched_on=experiment.name)
        networks = make(choices)
        planned = _plan(choices, output / "models", experiment.seeds)
        tasks = _tasks(networks, planned)
    features = FeatureResults({}, "")
    # Features leave a part of the machine idle.
    with side_by_side.training(tasks):
        if experiment.features is not None:
            labels = ", ".join(METHOD[method].label for method in experiment.features.annotators)
            beside = "; networks are trained beside them" if tasks else ""
            steps.next(f"Baselines: {labels}{beside}")
            features = feature_results(
                experiment.features, data, experiment.data, input_dir, output
            )
            scores |= {method: [found] for method, found in features.scores.items()}
        if choices is not None:
            steps.next(f"Networks: {len(PAPER_LOSSES)} losses x {experiment.seeds} seeds")
    runs: dict[str, list[Run]] = {}
    if networks is not None:
        assert choices is not None
        runs = _runs(networks, planned)
        scores |= {method: [run.scores for run in some] for method, some in runs.items()}
        notes += _network_notes(choices)
    if experiment.pretrained is not None:
        steps.next(f"Pretrained networks: {len(PAPER_LOSSES)} losses x {experiment.seeds} seeds")
        of_pretrained, described = _pretrained(experiment, input_dir, output)
        runs |= of_pretrained
        notes += described
        scores |= {method: [run.scores for run in some] for method, some in of_pretrained.items()}
    if features.description:
        notes.append(features.description)
    notes.append(
        f"Seeds: 0 to {experiment.seeds - 1}, of "
        + ("initial weights, order, crops, dropout and draws." if runs else "random tags.")
    )
    steps.next(f"Tables and pictures in {output}")
    evaluation = Evaluation(
        tag_names=data.tag_names,
        test_labels=data.test_labels,
        train_counts=(data.train_labels == 1).sum(axis=0),
        scores=scores,
        ks=experiment.ks,
        num_train_images=len(data.train_labels),
        synthetic=experiment.data.synthetic,
        title=experiment.title,
        dataset=data.dataset,
    )
    # As the features see them, since the networks' records may contain smaller photographs.
    photographs = features.photographs or data.folder
    return write_all(
        evaluation,
        output,
        runs=runs,
        notes=[*notes, *experiment.notes],
        command=command,
        photographs=None if photographs is None else Records(photographs, "test"),
        published=features.published,
    )


class _Steps:
    """Logs each step with its number and the time since the start."""

    def __init__(self, experiment: Experiment, search_again: bool):
        parts = (
            *(experiment.features, experiment.networks, experiment.pretrained),
            search_again or None,
        )
        self.total = 2 + sum(part is not None for part in parts)
        self.count = itertools.count(1)
        self.started = time.perf_counter()

    def next(self, text: str) -> None:
        minutes, seconds = divmod(round(time.perf_counter() - self.started), 60)
        logger.info("[%d/%d, %d:%02d] %s", next(self.count), self.total, minutes, seconds, text)


def _bounds(data: Data, seeds: int) -> dict:
    test = data.test_labels
    return {
        "upper_bound": [upper_bound_scores(test, seed=seed) for seed in range(seeds)],
        "upper_bound_random": [
            upper_bound_scores(test, rule="random", seed=seed) for seed in range(seeds)
        ],
        "most_frequent": [most_frequent_scores(data.train_labels, len(test))],
    }


def _search(
    make: Callable[[NetworkChoices], Networks], choices: NetworkChoices, output: Path
) -> NetworkChoices:
    """The networks with the settings that the search finds."""
    folder = output / "models" / "search"
    if choices.shared_grid:
        table = search_shared(make, choices, folder)
        write_bytes(output / "search_shared.csv", table.to_csv(index=False).encode())
        shared = chosen_shared(table, choices)
        logger.info("    all losses: %s", listed(shared))
        choices = choices.with_shared(shared)
    table = search(make(choices), folder)
    write_bytes(output / "search.csv", table.to_csv(index=False).encode())
    chosen = chosen_settings(table)
    for loss, settings in chosen.items():
        logger.info("    %s: %s", loss, listed(settings))
    return replace(choices, chosen=chosen)


def _pretrained(
    experiment: Experiment, input_dir: Path | None, output: Path
) -> tuple[dict[str, list[Run]], list[str]]:
    """The runs of the pretrained networks by the id of their method, and sentences about them."""
    choices, data = experiment.pretrained, experiment.data
    assert choices is not None and isinstance(data, Photographs)
    folder = output / "pretrained_data"
    convert_photographs(data, {**data.settings, "size": choices.crop_size}, input_dir, folder)
    networks = PretrainedNetworks(experiment.name, choices, folder, output / "features")
    choices = networks.networks
    planned = _plan(choices, output / "models" / "pretrained", experiment.seeds)
    runs = _runs(networks, planned)
    weights = networks.context["network"]["weights"]
    training = TrainingSettings(**choices.training)
    chosen = "; ".join(f"{loss}: {listed(choices.chosen[loss])}" for loss in PAPER_LOSSES)
    notes = [
        f"Pretrained: {choices.backbone} of keras.applications with the weights {weights}, not "
        f"trained further, at {choices.crop_size} x {choices.crop_size} pixels; a head "
        f"{choices.architecture} over the features of each photograph and of its mirror image, "
        f"{training.epochs} epochs, batch {training.batch_size}, schedule {training.schedule}; "
        f"{chosen}, good settings on the validation photographs of Corel5K. It is not the paper's "
        "network.",
    ]
    return {network_method(loss, True).id: some for loss, some in runs.items()}, notes


_Planned = dict[str, list[tuple[TrainingSettings, Path]]]


def _plan(choices: NetworkChoices, models: Path, num_seeds: int) -> _Planned:
    """Loss -> the settings and the folder of each run."""
    # The run of seed 0 is named after its loss alone, for use with `warptag annotate`.
    return {
        loss: [
            (settings_of(choices, loss, seed), models / (f"{loss}-seed{seed}" if seed else loss))
            for seed in range(num_seeds)
        ]
        for loss in PAPER_LOSSES
    }


def _tasks(networks: Networks, planned: _Planned) -> list[Task]:
    """The runs that are not finished."""
    runs = itertools.chain.from_iterable(planned.values())
    named = [(networks.name_of(settings), settings, folder) for settings, folder in runs]
    return networks.tasks(named, scored=True)


def _runs(networks: Networks, planned: _Planned) -> dict[str, list[Run]]:
    """The finished runs of each loss."""
    return {
        loss: [_run(networks, settings, folder) for settings, folder in runs]
        for loss, runs in planned.items()
    }


def _run(networks: Networks, settings: TrainingSettings, folder: Path) -> Run:
    run = networks.run(settings, folder)
    last = run.history.iloc[-1]
    logger.info(
        "    %s: loss %.3f, validation per-class recall %.1f%%, %.0f s, %.0f images/s",
        networks.name_of(settings),
        last["loss"],
        100 * last["val_per_class_recall"],
        run.measured["seconds"],
        run.measured["images_per_second"],
    )
    return run


def _network_notes(choices: NetworkChoices) -> list[str]:
    """Sentences about the networks and their training, for the notes below the tables."""
    settings = TrainingSettings(**choices.training)
    schedule = (
        "learning rate falling to 0 along half a cosine"
        if settings.schedule == "cosine"
        else f"learning rate times {settings.decay_factor:g} at "
        f"{' and '.join(f'{share:.0%}' for share in settings.decay_at)} of the run"
    )
    flips = "half of the images mirrored, " if settings.flip else ""
    chosen = "; ".join(
        f"{METHOD[loss].label}: {listed(of_loss)}" for loss, of_loss in choices.chosen.items()
    )
    if choices.searched_on is None:
        origin = "not searched; the rate is the paper's"
    else:
        shared = ", ".join(choices.shared_grid).replace("_", " ")
        known = EXPERIMENTS.get(choices.searched_on)
        searched = (known and known.networks) or choices
        origin = (
            f"the best mean of per-class and overall recall at k = {searched.selection_k} on the "
            f"validation images of {choices.searched_on}, of {len(choices.grid['warp'])} "
            f"candidates per loss (results/{choices.searched_on}/search.csv)"
        )
        if shared:
            origin += f"; {shared}, shared by the losses, likewise (search_shared.csv)"
    clip = (
        f"gradient norm clipped at {settings.clip_norm:g}" if settings.clip_norm else "no clipping"
    )
    return [
        f"Network: AlexNet-like, crops of {choices.crop_size} pixels, {choices.architecture}; "
        f"test patches: {choices.patches}.",
        f"Training: SGD, momentum {settings.momentum:g}, batch {settings.batch_size}, "
        f"{settings.epochs} epochs, {flips}{schedule}, {clip}; WARP's ranks: {settings.rank}.",
        f"{chosen}: {origin}.",
    ]
