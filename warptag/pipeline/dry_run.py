"""What an experiment would take: checks its data, and estimates time, disk space and memory.

Everything is measured on samples in a temporary folder. Nothing is written to the output folder.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from tfrecords_tools.convert import convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide.feature_files import NUM_FEATURES, find_feature_files
from tfrecords_tools.validation import with_validation
from warptag import experiments
from warptag.baselines import VisualFeatures
from warptag.baselines.features.descriptors import BAGS, describe_patches
from warptag.baselines.features.extraction import describe_image, feature_widths, parallel_map
from warptag.baselines.features.resizing import to_square
from warptag.data import Records
from warptag.data.features import BATCH_SIZE
from warptag.experiments import Experiment, Photographs
from warptag.experiments import experiment as declared
from warptag.methods import PAPER_LOSSES
from warptag.models import IMAGENET, FeatureNetwork
from warptag.pipeline.data import check_ks, has_records, load_data, open_source
from warptag.pipeline.estimate import Estimate, peak_memory, size_text
from warptag.pipeline.networks import Networks, invalid_network, settings_of
from warptag.pipeline.side_by_side import call_side_by_side
from warptag.training import TrainingSettings, device
from warptag.training.speed import Speed, training_speed

#: The images of each split that are converted.
SAMPLE = 100
#: The measurement of a network ends after so many seconds or steps.
MAX_SECONDS, MAX_STEPS = 15.0, 100
#: For its codebooks, `VisualFeatures` describes at most so many images once more.
CODEBOOK_IMAGES = 2048
FLOAT = 4  # bytes


def dry_run(
    experiment: Experiment,
    output: Path,
    *,
    input_dir: Path | None = None,
    search_again: bool = False,
) -> Iterator[Estimate]:
    """Checks the data of an experiment, and estimates each of its steps, one after the other.

    Only finished records are taken into account, not finished runs.

    Args:
        experiment, output, input_dir, search_again: as in `warptag.pipeline.reproduce.reproduce`.

    Raises:
        InputError: the input cannot be used, or the memory is too small for a batch.
    """
    data, features = experiment.data, experiment.features
    networks, pretrained = experiment.networks, experiment.pretrained
    if not isinstance(data, Photographs):
        labels = load_data(data, input_dir, output)
        check_ks(experiment.ks, labels.tag_names)
        count = {"train": len(labels.train_labels), "test": len(labels.test_labels)}
        yield Estimate("Data", _described(count, labels.tag_names), memory=peak_memory())
        if features is not None:
            assert input_dir is not None
            yield _release_features(input_dir, sum(count.values()))
        return
    runs = training_runs(networks, experiment.seeds, search_again) if networks else []
    # For at least one batch of training images, if there are so many.
    number = max([SAMPLE, *(2 * run.batch_size for run in runs)])
    with tempfile.TemporaryDirectory() as temporary:

        def sample(name: str, settings: dict[str, Any]) -> tuple[_Sample, Estimate]:
            source = open_source(data, settings, input_dir)
            check_ks(experiment.ks, source.tag_names)
            found = _Sample(source, Path(temporary) / name, number)
            return found, found.convert(data.source, has_records(data, output / name))

        photographs, row = sample("data", data.settings)
        yield row
        if isinstance(features, declared.VisualFeatures):
            whole = photographs
            if features.source_settings is not None:
                whole, row = sample("feature_data", features.source_settings)
                yield row
            yield _visual_features(features, whole, Path(temporary) / "features.npz")
        if networks is not None:
            sampled = Networks(experiment.name, networks, photographs.folder)
            yield _networks(sampled, runs, photographs.count["train"])
        if pretrained is not None:
            whole, row = sample("pretrained_data", {**data.settings, "size": pretrained.crop_size})
            yield row
            yield _pretrained(pretrained, whole, experiment.seeds)


def training_runs(
    networks: experiments.Networks, seeds: int, search_again: bool = False
) -> list[TrainingSettings]:
    """The settings of every run that trains the networks of an experiment."""
    runs = [settings_of(networks, loss, seed) for loss in PAPER_LOSSES for seed in range(seeds)]
    return [*runs, *(_search_runs(networks) if search_again else ())]


def _search_runs(networks: experiments.Networks) -> list[TrainingSettings]:
    runs = [
        settings_of(networks.with_shared({name: value}), loss)
        for name, values in networks.shared_grid.items()
        for value in values
        for loss in PAPER_LOSSES
    ]
    runs += [
        settings_of(networks, loss, candidate=candidate)
        for loss, candidates in networks.grid.items()
        for candidate in candidates
    ]
    return [replace(run, epochs=networks.search_epochs) for run in runs]


def num_steps(runs: Sequence[TrainingSettings], num_images: int) -> int:
    """The number of steps of training runs on so many images."""
    return sum(num_images // run.batch_size * run.epochs for run in runs)


class _Sample:
    """A source of some images of another source, evenly taken from each of its splits."""

    def __init__(self, source: Any, folder: Path, number: int):
        whole, _ = with_validation(source)
        self.source, self.tag_names, self.load = source, source.tag_names, source.load
        self.folder = folder
        self.count = {split: len(items) for split, items in whole.items()}
        self.splits = {
            split: items[:: max(1, -(-len(items) // number))] for split, items in whole.items()
        }

    def convert(self, name: str, finished: bool) -> Estimate:
        """Converts the sample, and estimates the conversion of all images."""
        started = time.perf_counter()
        settings = self.source.settings
        info = convert(self, self.folder, name=name, settings=settings, workers=1, max_rejected=1)
        seconds = time.perf_counter() - started
        number, total = sum(map(len, self.splits.values())), sum(self.count.values())
        damaged = sum(split.num_rejected for split in info.splits.values())
        what = (
            f"{_described(self.count, self.tag_names)}; {damaged} of a sample of {number} damaged; "
        )
        if finished:
            what += "finished records are reused, if they are of the same images"
            total = 0
        else:
            what += f"estimated from this sample: {number / seconds:,.0f} per second and core"
        return Estimate(
            f"Data: {self.folder.name}",
            what,
            total * seconds / number / (os.cpu_count() or 1),
            total * _num_bytes(self.folder) / number,
            peak_memory(),
        )


def _visual_features(features: declared.VisualFeatures, sample: _Sample, file: Path) -> Estimate:
    visual, random = VisualFeatures(**features.arguments), np.random.default_rng(0)
    # Enough images to keep every core busy.
    number = max(32, 2 * (os.cpu_count() or 1))
    stored = islice(Records(sample.folder, "train"), number)
    images = [to_square(image, visual.image_size) for image in stored]
    # Some descriptors serve as words: k-means takes minutes, and its words are counted as fast.
    patches = [describe_patches(image) for image in images[:4]]
    codebooks = {}
    for name, length in BAGS.items():
        found = [each[name].descriptors for each in patches]
        words = np.concatenate([*found, np.zeros((1, length), np.float32)])
        codebooks[name] = random.choice(words, visual.codebook_size)
    started = time.perf_counter()
    with parallel_map("describing images", len(images)) as (run, _):
        rows = run(lambda image: describe_image(image, codebooks), images)
    per_image = (time.perf_counter() - started) / len(images)
    sparse.save_npz(file, sparse.csr_matrix(np.stack(rows)))
    count, num_fits = sample.count, 1
    num_rows = count["train"] + count["test"]
    if features.published:  # fitted and computed again, with the validation images
        num_rows, num_fits = num_rows + sum(count.values()), 2
    widths = feature_widths(codebooks).values()
    columns = sum(min(visual.num_components, width, count["train"]) for width in widths)
    return Estimate(
        "Visual features",
        f"{num_rows:,} rows of {columns:,} numbers; estimated from {len(images)} images: "
        f"{1 / per_image:,.1f} per second; without k-means, PCA and the annotators, such as kNN "
        "and SVM, which are not estimated",
        (num_rows + num_fits * min(CODEBOOK_IMAGES, count["train"])) * per_image,
        num_rows * file.stat().st_size / len(images),
        peak_memory() + num_rows * columns * FLOAT,
    )


def _release_features(input_dir: Path, num_images: int) -> Estimate:
    num_bytes = sum(find_feature_files(input_dir).values())
    size = num_images * NUM_FEATURES * FLOAT
    return Estimate(
        "Visual features",
        f"{size_text(num_bytes)} of text become arrays; the time for it and for the annotators, "
        "such as kNN and SVM, is not estimated",
        disk=size,
        memory=peak_memory() + 2 * size,  # and their embedding, which is no larger
    )


def _networks(networks: Networks, runs: Sequence[TrainingSettings], num_images: int) -> Estimate:
    steps, settings = num_steps(runs, num_images), settings_of(networks.networks, "warp")
    if not steps:
        raise InputError(
            f"the {num_images} training images are fewer than one batch of "
            f"{settings.batch_size}; choose a larger data set"
        )
    limits = MAX_SECONDS, min(MAX_STEPS, steps)
    where = networks.experiment, networks.networks, networks.folder
    speeds = call_side_by_side(_speed, where, asdict(settings), *limits, runs=len(runs))
    speed = max(speeds, key=lambda each: each.step)
    weights = speed.num_parameters * FLOAT
    # The last of them may leave some of the processes idle.
    rounds = -(-len(runs) // len(speeds)) / len(runs)
    return Estimate(
        "Networks",
        f"{len(runs)} runs, {steps:,} steps; "
        f"{speed.num_parameters:,} parameters, {size_text(3 * weights)} with gradients and "
        f"momentum; estimated from {speed.num_steps} steps of WARP, with batches of "
        f"{settings.batch_size}, on {device()}: "
        f"{settings.batch_size / speed.step:,.0f} images per second in each of {len(speeds)} "
        f"processes, and {speed.start:.0f} s to start each run; without validation and test",
        rounds * (len(runs) * speed.start + steps * speed.step),
        # The models, and of one run three checkpoints of weights and momentum.
        (len(runs) + 3 * 2) * weights,
        len(speeds) * peak_memory(),
    )


def _speed(
    where: tuple[str, experiments.Networks, Path],
    settings: dict[str, Any],
    max_seconds: float,
    max_steps: int,
) -> Speed:
    networks = Networks(*where)
    return training_speed(
        lambda: networks.make_model(settings["seed"]),
        networks.records,
        TrainingSettings(**settings),
        k=networks.selection_k,
        max_seconds=max_seconds,
        max_steps=max_steps,
    )


def _pretrained(networks: experiments.Networks, sample: _Sample, seeds: int) -> Estimate:
    assert networks.backbone is not None
    size = networks.crop_size
    # Random weights are as fast as those of ImageNet, which would be downloaded.
    weights = None if networks.weights == IMAGENET else networks.weights
    with invalid_network():
        network = FeatureNetwork(networks.backbone, (size, size, 3), weights)
    crops = Records(sample.folder, "train").evaluation(crop_size=size, batch_size=BATCH_SIZE)
    network.predict_on_batch(next(iter(crops))[0])  # compiles
    started, number = time.perf_counter(), 0
    for images, _ in crops:
        network.predict_on_batch(images)
        number += len(images)
        if time.perf_counter() - started > MAX_SECONDS:
            break
    per_image = (time.perf_counter() - started) / number
    num_images, num_heads = 2 * sum(sample.count.values()), len(PAPER_LOSSES) * seeds
    features = num_images * network.output_shape[-1] * FLOAT
    return Estimate(
        "Pretrained networks",
        f"features of {num_images:,} images and mirror images; {networks.backbone}, "
        f"{network.count_params():,} parameters; estimated from {number} images on {device()}: "
        f"{1 / per_image:,.0f} per second; without the {num_heads} heads, which take minutes",
        num_images * per_image,
        features + num_heads * network.count_params() * FLOAT,
        peak_memory() + features,
    )


def _described(count: Mapping[str, int], tag_names: Sequence[str]) -> str:
    images = ", ".join(f"{number:,} {split}" for split, number in count.items())
    return f"{images} images, {len(tag_names)} tags"


def _num_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
