"""The paper's network, trained on Corel5K's photographs with each of the paper's losses.

The photographs are resized to 256 x 256 pixels as in a conversion, and kept in the memory of the
GPU. The crops of 220 pixels are random in training, and the center otherwise. The learning rate of
each loss is the best of a search on the validation photographs, by the mean of the per-class and
the overall recall at 5 tags per image, as in `warptag.pipeline.search`. All losses have the same
candidates.

On a GPU, a run with the same seed does not always give the same numbers to the last digit.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from PIL import Image

from benchmarks.gpu.cases import Photographs
from benchmarks.gpu.jax_training import MOMENTUM, State, Training
from tfrecords_tools.sources.corel5k import Corel5K
from warptag.experiments import EXPERIMENTS
from warptag.methods import PAPER_LOSSES
from warptag.metrics import annotation_report
from warptag.provenance import commit

KS = (3, 5)
LEVELS = ("per_class", "overall")
VALIDATION_SHARE = 0.1
#: The shares of the run at which the learning rate is divided by 10.
DECAY_AT = (0.7, 0.9)


def measure(choices: Photographs) -> Iterator[dict[str, Any]]:
    """Yields one row per run: those of the search first, then those with each seed."""
    runs = Runs(choices)
    rates = {}
    for loss in PAPER_LOSSES:
        found = []
        for rate in choices.rates:
            row = runs.run(loss, rate, 0, max(1, choices.epochs // 4), "validation")
            found.append((row["score"], rate))
            yield row
        rates[loss] = max(found, key=lambda one: one[0])[1]
    # One seed after the other, so that a run that is stopped has as many of each loss.
    for seed in range(choices.seeds):
        for loss in PAPER_LOSSES:
            yield runs.run(loss, rates[loss], seed, choices.epochs, "test")


class Runs:
    """Trains and measures on photographs in the memory of the GPU."""

    def __init__(self, choices: Photographs):
        self.choices = choices
        networks: Any = EXPERIMENTS["corel5k"].networks
        self.clip_norm, self.selection_k = networks.training["clip_norm"], networks.selection_k
        images, self.labels, num_train = read(choices)
        self.images, self.targets = jax.device_put((images, self.labels.astype(np.float32)))
        shuffled = np.random.default_rng(0).permutation(num_train)
        num_validation = max(1, round(VALIDATION_SHARE * num_train))
        self.rows = {
            "train": shuffled[num_validation:],
            "validation": np.sort(shuffled[:num_validation]),
            "test": np.arange(num_train, len(images)),
        }
        network = (self.labels.shape[1], choices.crop_size, choices.architecture)
        self.trainings = {
            loss: Training(loss, *network, clip_norm=self.clip_norm) for loss in PAPER_LOSSES
        }

    def run(self, loss: str, rate: float, seed: int, epochs: int, split: str) -> dict[str, Any]:
        """Trains one network; returns its settings, and its metrics on a split in percent."""
        training, started = self.trainings[loss], time.perf_counter()
        state, train_loss = self._train(training, rate, seed, epochs)
        scores = np.asarray(training.scores(state, self.images[self.rows[split]]))
        seconds = time.perf_counter() - started
        row = {
            **{"loss": loss, "split": split, "seed": seed, "epochs": epochs},
            **self._settings(training, rate),
            **{"train_loss": train_loss, "seconds": seconds, "commit": commit()},
        }
        if not (np.isfinite(train_loss) and np.isfinite(scores).all()):
            return {**row, "score": 0.0, "note": "the training diverged"}
        reports = {k: annotation_report(self.labels[self.rows[split]], scores, k) for k in KS}
        recalls = [reports[self.selection_k][f"{level}_recall"] for level in LEVELS]
        row |= {f"{name}_at_{k}": reports[k][name] for k in KS for name in reports[k]}
        return {**row, "score": sum(recalls) / len(recalls), "note": ""}

    def _train(
        self, training: Training, rate: float, seed: int, epochs: int
    ) -> tuple[State, float]:
        """The state after the last epoch, and its mean loss."""
        state, key = training.initial(seed), jax.random.key(seed)
        rng, batch = np.random.default_rng(seed), self.choices.batch
        num_images = len(self.rows["train"]) // batch * batch
        for epoch in range(epochs):
            order = rng.permutation(self.rows["train"])[:num_images].reshape(-1, batch)
            state, loss = training.epoch(
                state,
                self.images,
                self.targets,
                order,
                jax.random.fold_in(key, epoch),
                rate * 0.1 ** sum(epoch >= at * epochs for at in DECAY_AT),
            )
        return state, float(loss)

    def _settings(self, training: Training, rate: float) -> dict[str, Any]:
        """What determines a run besides its loss, seed and epochs."""
        return {
            "learning_rate": rate,
            "normalization": getattr(training.loss, "normalization", "none"),
            **{"momentum": MOMENTUM, "decay_at": DECAY_AT, "clip_norm": self.clip_norm},
            **{"batch_size": self.choices.batch, "precision": training.precision},
            **{"size": self.choices.size, "crop_size": training.crop_size},
            **{"network": self.choices.architecture, "validation_share": VALIDATION_SHARE},
            **{f"num_{split}": len(rows) for split, rows in self.rows.items()},
        }


def read(choices: Photographs) -> tuple[np.ndarray, np.ndarray, int]:
    """The photographs, uint8 (num_images, size, size, 3), and their labels, uint8 (num_images,
    num_tags), and the number of those of the training split, which come first."""
    source = Corel5K(choices.input_dir, size=choices.size)
    items = [*source.splits["train"], *source.splits["test"]]

    def pixels(item) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(source.load(item).encoded)).convert("RGB"))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = np.stack(list(pool.map(pixels, items)))
    labels = np.zeros((len(items), len(source.tag_names)), np.uint8)
    for row, item in zip(labels, items, strict=True):
        row[list(item.tag_ids)] = 1
    return images, labels, len(source.splits["train"])
