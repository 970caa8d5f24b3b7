"""The main job: from pictures to both tables, every row, each step reused when it still stands."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_bytes
from tfrecords_tools.schema import DatasetInfo
from warptag.baselines import most_frequent_scores, upper_bound_scores
from warptag.data import Records
from warptag.experiments.baselines import visual_feature_scores
from warptag.experiments.data import convert_data
from warptag.experiments.experiment import GRID, METHODS, Experiment
from warptag.experiments.networks import Networks, Run
from warptag.experiments.runs import write_runs
from warptag.experiments.search import chosen_settings, search, write_search
from warptag.reporting import Evaluation, write_page, write_results
from warptag.training import TrainingSettings

#: Images of the gallery; the first few are also those of the annotation sheet.
NUM_IMAGES = 36


def reproduce(
    experiment: Experiment,
    output: Path,
    *,
    input_dir: Path | None = None,
    search_again: bool = False,
    tensorboard: bool = False,
    command: str = "",
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Convert, fit every method, and write tables, plots and runs.csv.

    A stopped call goes on where it was when it is made again; a finished one recomputes only what
    changed.

    Args:
        experiment: every choice.
        output: folder of the results; working files go to `data`, `models`, `baselines` in it.
        input_dir: folder of the original data set, where the source needs one.
        search_again: choose learning rates and normalizations anew, and write search.csv.
        tensorboard: write logs for TensorBoard beside each model.
        command: the command line, for command.txt.
        say: called with one line at the start of each step.

    Returns:
        The files written.

    Raises:
        InputError: something is wrong with the input or the output folder.
        TrainingDiverged: the loss of a final run became NaN.
    """
    started = time.perf_counter()
    steps = itertools.count(1)
    total = 5 if search_again else 4

    def step(text: str) -> None:
        minutes, seconds = divmod(round(time.perf_counter() - started), 60)
        say(f"[{next(steps)}/{total}, {minutes}:{seconds:02d}] {text}")

    step(f"Data: {experiment.title}")
    data = output / "data"
    info = convert_data(experiment, experiment.source_settings, input_dir, data, say)
    for split, count in info.settings.get("missing", {}).items():
        say(f"    {split}: {count:,} images are not in the input folder, left out")
    for split, content in info.splits.items():
        if content.num_rejected:
            say(f"    {split}: {content.num_rejected:,} damaged images, see {data}/rejected.csv")
    train, test = Records(data, "train"), Records(data, "test")
    for k in experiment.ks:
        if k > len(info.tag_names):
            raise InputError(f"k = {k} is above the number of tags, {len(info.tag_names)}")

    step("Baselines: visual features with kNN, SVM, JEC, TagProp and 2PKNN")
    feature_data = data
    if experiment.feature_source_settings is not None:
        feature_data = output / "feature_data"
        convert_data(experiment, experiment.feature_source_settings, input_dir, feature_data, say)
    if not np.array_equal(Records(feature_data, "test").labels, test.labels):
        raise InputError(
            f"{feature_data} and {data} hold other test images, as when the input folder changed "
            "between two runs; remove both and run again"
        )
    baselines, published = visual_feature_scores(
        experiment, feature_data, output / "baselines", say
    )

    networks = Networks(experiment, data, tensorboard=tensorboard)
    if search_again:
        step("Search: learning rate and normalization of each loss, on validation images")
        table = search(experiment, networks, output / "models" / "search")
        write_search(table, output / "search.csv")
        experiment = replace(experiment, chosen=chosen_settings(table), searched=True)
        for loss, (rate, normalization) in experiment.chosen.items():
            say(f"    {loss}: learning rate {rate}, normalization {normalization}")

    def run_and_say(settings: TrainingSettings, folder: Path) -> Run:
        run = networks.run(settings, folder)
        last = run.history.iloc[-1]
        say(
            f"    {METHODS[settings.loss]}, seed {settings.seed}: loss {last['loss']:.3f}, "
            f"validation per-class recall {100 * last['val_per_class_recall']:.1f}%, "
            f"{run.measured['seconds']:.0f} s, {run.measured['images_per_second']:.0f} images/s"
        )
        return run

    step(f"Networks: {len(METHODS)} losses x {experiment.seeds} seeds")
    runs = {
        loss: [
            run_and_say(experiment.settings_for(loss, seed, chosen), _folder(output, loss, seed))
            for seed in range(experiment.seeds)
        ]
        for loss, chosen in experiment.chosen.items()
    }

    step(f"Tables and pictures in {output}")
    seeds = range(experiment.seeds)
    evaluation = Evaluation(
        tag_names=info.tag_names,
        test_labels=test.labels,
        train_counts=train.tag_counts,
        scores={
            "upper_bound": [upper_bound_scores(test.labels, seed=seed) for seed in seeds],
            **{method: [scores] for method, scores in baselines.items()},
            **{method: [run.scores for run in some] for method, some in runs.items()},
            "upper_bound_random": [
                upper_bound_scores(test.labels, rule="random", seed=seed) for seed in seeds
            ],
            "most_frequent": [most_frequent_scores(train.labels, len(test))],
        },
        ks=experiment.ks,
        synthetic=experiment.synthetic,
        title=experiment.title,
        dataset=experiment.source,
    )
    histories = {method: [run.history for run in some] for method, some in runs.items()}
    lines = settings_lines(experiment, info)
    # The photographs as the features see them, where the networks' records hold smaller ones.
    images = sample_images(Records(feature_data, "test"))
    written = write_results(
        evaluation, output, histories, images, lines, published, probabilities_of(runs)
    )
    every_run = [run for some in runs.values() for run in some]
    write_runs(every_run, test.labels, experiment.ks, output / "runs.csv")
    write_bytes(output / "command.txt", f"{command}\n".encode())
    return [*written, output / "runs.csv", output / "command.txt", write_page(output)]


def settings_lines(experiment: Experiment, info: DatasetInfo) -> list[str]:
    """The choices behind the tables, one sentence each."""
    training = experiment.training
    count = {name: split.num_images for name, split in info.splits.items()}
    chosen = "; ".join(
        f"{METHODS[loss]}: learning rate {rate:g}"
        + (f", normalization {normalization}" if loss != "softmax" else "")
        for loss, (rate, normalization) in experiment.chosen.items()
    )
    origin = (
        f"the best mean of per-class and overall recall at k = {experiment.selection_k} on "
        f"validation images, of {len(GRID['warp'])} candidates a loss "
        f"(results/{experiment.name}/search.csv)"
        if experiment.searched
        else "not searched on this data; the rate is the paper's"
    )
    clip = (
        f"gradient norm clipped at {training.clip_norm:g}" if training.clip_norm else "no clipping"
    )
    return [
        f"Data: {count['train']:,} images to fit, {count['validation']:,} for validation, "
        f"{count['test']:,} to test; checksum {info.checksum[:16]}; {experiment.source_settings}.",
        "Every method of the tables for k is fitted on the same images; the validation images are "
        "fitted by none of them.",
        f"Network: AlexNet-like, crops of {experiment.crop_size} pixels, {experiment.network}; "
        f"test patches: {experiment.patches}.",
        f"Training: SGD, momentum {training.momentum:g}, batch {training.batch_size}, "
        f"{training.epochs} epochs, learning rate times {training.decay_factor:g} at "
        f"{' and '.join(f'{share:.0%}' for share in training.decay_at)} of the run, {clip}; "
        f"WARP's ranks: {training.rank}.",
        f"{chosen}: {origin}.",
        f"Features: {experiment.features}; kNN k = 50, sigma = 0.035; SVM C = 2; JEC k = 5; "
        "TagProp k = 200, by distance, with sigmoids; 2PKNN k = 5, scale = 60; one fit, no seeds"
        + (
            f"; computed from the images with {experiment.feature_source_settings}."
            if experiment.feature_source_settings
            else "."
        ),
        f"Seeds: 0 to {experiment.seeds - 1}, of initial weights, order, crops, dropout and draws.",
        *experiment.notes,
    ]


def _folder(output: Path, loss: str, seed: int) -> Path:
    """The folder of a run; the one of seed 0 has the loss's plain name, to annotate with."""
    return output / "models" / (f"{loss}-seed{seed}" if seed else loss)


def probabilities_of(runs: dict[str, list[Run]]) -> dict[str, np.ndarray]:
    """Of each method's first run, where it has a calibration."""
    return {
        method: some[0].calibration.probabilities(some[0].scores)
        for method, some in runs.items()
        if some[0].calibration is not None
    }


def sample_images(test: Records) -> dict[int, np.ndarray]:
    """Test images spread evenly over the first few hundred: chosen by place, not by result."""
    spacing = max(1, min(len(test), 720) // NUM_IMAGES)
    rows = range(0, min(len(test), spacing * NUM_IMAGES), spacing)
    wanted = set(rows)
    images = itertools.islice(test.images(), rows[-1] + 1)
    return {row: image for row, image in enumerate(images) if row in wanted}
