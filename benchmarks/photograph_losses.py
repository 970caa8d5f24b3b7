"""Which loss tags photographs best? Heads over the features of one pretrained network.

    python -m benchmarks.photograph_losses --input COREL5K --weights imagenet \\
        --work FOLDER --output docs/photograph_losses.csv

Corel5K's photographs are converted whole at the size of the network, and a head is trained with
each loss, as `warptag train` does it with a pretrained network. kNN, SVM, TagProp and 2PKNN are
fitted to the same features of the same photographs, divided by their length.

Settings are chosen on the validation photographs, by the mean of the per-class and the overall
recall of all words at 5 tags per image, as in `warptag.pipeline.search`. Every loss has the same
candidates: the learning rates `RATES`, three tenths and three times the best of them, and the best
of these three with weight decay. The rates are so far apart because the gradients of the losses
are: binary cross-entropy is a mean over the words, others are sums. The losses with a margin are as
good with rates far too high, with which scores are so large that the margin is nothing; so the best
of `RATES` is the lowest whose score is at most a point, the noise of one seed, below the highest.
Every annotator has 12 candidates. A warning is printed if the best value of a parameter is at an
end of those tried.

Then every loss is trained with several seeds, and the test photographs are scored. The metrics are
those of the literature: over the words that occur both in the training or validation photographs
and in the test photographs, 5 tags per image; N+ is a number of words.

Finished runs in the work folder are reused. Three files are written: FILE.csv with one row per
method, FILE_minus_warp.csv with the differences from WARP over paired seeds, and FILE_runs.csv
with every candidate and every run, and what they were made with. `--quick` tries less, for one
epoch, to see that everything runs; its numbers decide nothing.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterGrid

from benchmarks.measuring import FOLDER, peak_megabytes
from tfrecords_tools.files import write_bytes
from warptag.baselines import (
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
)
from warptag.content_cache import ContentCache, content_key
from warptag.data import FeatureRecords
from warptag.experiments import EXPERIMENTS
from warptag.experiments.pretrained import BACKBONE, pretrained_networks
from warptag.losses import WeightedBinaryCrossentropy
from warptag.metrics import annotation_report, mean_average_precision
from warptag.models import default_size
from warptag.pipeline.data import convert_photographs
from warptag.pipeline.pretrained import PretrainedNetworks
from warptag.pipeline.search import listed
from warptag.provenance import code_checksum, commit, versions
from warptag.reporting.claims import t_interval
from warptag.training import TrainingDiverged, TrainingSettings
from warptag.training.run_folder import load_measured

K = 5
BATCH_SIZE = 64
REFERENCE = "WARP"
#: Method -> the fields of its `TrainingSettings` that are not searched.
HEADS: dict[str, dict[str, Any]] = {
    "Softmax": {"loss": "softmax", "normalization": "none"},
    "Pairwise ranking": {"loss": "ranking"},
    REFERENCE: {"loss": "warp"},
    "WARP, expected rank": {"loss": "warp", "rank": "expected"},
    "k-order statistic WARP": {"loss": "k_order_warp"},
    "LSEP": {"loss": "lsep", "normalization": "none"},
    "Asymmetric": {"loss": "asymmetric", "normalization": "none"},
    "Binary cross-entropy": {"loss": "bce", "normalization": "none"},
    "Weighted binary cross-entropy": {"loss": "bce", "normalization": "none", "weighted": True},
}
RATES = (0.01, 0.1, 1.0, 10.0, 100.0)
FACTORS = (0.3, 3.0)
#: Scores that differ by less, in points, are equally good.
TOLERANCE = 1.0
#: What a step takes off the weights at the initial rate, as a share of them: rate times decay. The
#: decay alone would mean something else for each loss, since their rates are so different.
DECAY_PER_STEP = 0.0003
#: Method -> its class, and the values of its parameters.
ANNOTATORS: dict[str, tuple[type, dict[str, list]]] = {
    "kNN": (KNNAnnotator, {"k": [20, 50, 100, 200], "sigma": [0.03, 0.06, 0.1]}),
    "SVM": (SVMAnnotator, {"C": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]}),
    "TagProp": (TagPropAnnotator, {"k": [25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 600]}),
    "2PKNN": (TwoPassKNNAnnotator, {"k": [2, 5, 10], "scale": [20.0, 40.0, 60.0, 80.0]}),
}
#: Metric -> its heading.
METRICS = {
    "per_class_precision": "P",
    "per_class_recall": "R",
    "overall_precision": "overall P",
    "overall_recall": "overall R",
    "n_plus_words": "N+",
    "mean_average_precision": "mAP",
}
#: What is searched, for one method or another.
PARAMETERS = ("learning_rate", "weight_decay", "k", "sigma", "C", "scale")
MADE_WITH = ("seconds", "backbone", "weights", "data_checksum", "commit", "versions")
RUN_COLUMNS = ("method", "split", *PARAMETERS, "seed", "epochs", "score", *METRICS, *MADE_WITH)


@dataclass(frozen=True)
class WeightedSettings(TrainingSettings):
    """Settings with which binary cross-entropy weighs the positives of each tag.

    Attributes:
        positive_weights: the weight of the positives of each tag, or None for equal ones.
    """

    positive_weights: tuple[float, ...] | None = None

    def make_loss(self):
        if self.positive_weights is None:
            return super().make_loss()
        return WeightedBinaryCrossentropy(positive_weights=self.positive_weights)


@dataclass(frozen=True)
class Budget:
    """How much is tried: the learning rates, and the epochs of the search and of the runs."""

    rates: tuple[float, ...] = RATES
    factors: tuple[float, ...] = FACTORS
    search_epochs: int = 10
    epochs: int = 30
    annotator_candidates: int | None = None


QUICK = Budget((0.1,), (), search_epochs=1, epochs=1, annotator_candidates=2)


def positive_weights(labels: np.ndarray) -> tuple[float, ...]:
    """The square root of negatives per positive of each tag, at least 1.

    The root, since the ratio itself, which is 4,061 for a word of one photograph among 4,062, lets
    a few photographs decide. A tag without a positive counts as one with a single positive.
    """
    positives = np.maximum((labels == 1).sum(axis=0), 1)
    negatives = (labels == 0).sum(axis=0)
    return tuple(np.sqrt(np.maximum(negatives / positives, 1)).round(4).tolist())


class Comparison:
    """Searches, trains, fits and measures every method on one data set.

    Args:
        networks: the pretrained network, and the photographs.
        work: the folder of the runs.
        budget: how much is tried.
    """

    def __init__(self, networks: PretrainedNetworks, work: Path, budget: Budget):
        self.networks, self.work, self.budget = networks, work, budget
        self.train, self.validation = networks.training_data(work)
        self.test = FeatureRecords(networks.test, networks.feature_network, networks.features)
        fitted = np.concatenate([self.train.labels, self.validation.labels])
        self.vocabulary = (fitted == 1).any(axis=0) & (self.test.labels == 1).any(axis=0)
        self.fitted_scores = ContentCache(work / "annotators")
        #: One row per candidate and per run.
        self.runs: list[dict[str, Any]] = []

    def measure(self, seeds: Iterable[int]) -> None:
        """Chooses the settings of every method, and measures it on the test photographs."""
        for method in HEADS:
            chosen = self._chosen(method, self._search(method))
            for seed in seeds:
                settings = self._settings(method, self.budget.epochs, chosen, seed)
                run = self.networks.run(settings, self._folder(method, f"seed {seed}"))
                self._add(
                    method,
                    {**chosen, "seed": seed, "epochs": settings.epochs},
                    self._test_metrics(run.scores),
                    run.measured,
                )
        for method in ANNOTATORS:
            chosen = self._chosen(method, self._search_annotator(method))
            scores = self._annotator_scores(method, chosen, self.test)
            self._add(method, chosen, self._test_metrics(scores))

    def _search(self, method: str) -> list[dict[str, Any]]:
        """Trains every candidate with seed 0; returns their settings and scores."""
        found = [self._attempt(method, rate) for rate in self.budget.rates]
        highest = max(one["score"] for one in found)
        center = next(one for one in found if one["score"] >= highest - TOLERANCE)
        rates = [float(f"{center['learning_rate'] * factor:.3g}") for factor in self.budget.factors]
        near = [center, *(self._attempt(method, rate) for rate in rates)]
        best = max(near, key=lambda one: one["score"])["learning_rate"]
        near.append(self._attempt(method, best, float(f"{DECAY_PER_STEP / best:.3g}")))
        return near

    def _attempt(self, method: str, rate: float, decay: float = 0.0) -> dict[str, Any]:
        """Trains one candidate; returns its settings and score."""
        candidate = {"learning_rate": rate, "weight_decay": decay}
        settings = self._settings(method, self.budget.search_epochs, candidate, seed=0)
        folder = self._folder(method, listed(candidate))
        metrics: dict[str, float] = {}
        measured: dict[str, Any] = {}
        try:
            name = f"search {method}, {listed(candidate)}"
            _, history = self.networks.train(name, settings, folder)
            last, measured = history.iloc[-1], load_measured(folder) or {}
            metrics = {name: 100 * last[f"val_{name}"] for name in list(METRICS)[:4]}
        except TrainingDiverged:
            pass
        score = _score(metrics)
        tried = {**candidate, "seed": 0, "epochs": settings.epochs, "score": score}
        self._add(method, tried, metrics, measured)
        return candidate | {"score": score}

    def _settings(
        self, method: str, epochs: int, candidate: dict[str, Any], seed: int
    ) -> TrainingSettings:
        fixed = dict(HEADS[method])
        weights = positive_weights(self.train.labels) if fixed.pop("weighted", False) else None
        training = {**self.networks.networks.training, "epochs": epochs, "seed": seed}
        if weights is None:
            return TrainingSettings(**training, **fixed, **candidate)
        return WeightedSettings(**training, **fixed, **candidate, positive_weights=weights)

    def _search_annotator(self, method: str) -> list[dict[str, Any]]:
        """Fits every candidate; returns their parameters and scores."""
        found = []
        grid = list(ParameterGrid(ANNOTATORS[method][1]))
        for candidate in grid[: self.budget.annotator_candidates]:
            scores = self._annotator_scores(method, candidate, self.validation)
            metrics = annotation_report(self.validation.labels, scores, self.networks.selection_k)
            found.append(candidate | {"score": _score(metrics)})
            self._add(method, {**candidate, "score": _score(metrics)}, metrics)
        return found

    def _annotator_scores(
        self, method: str, parameters: dict[str, Any], records: FeatureRecords
    ) -> np.ndarray:
        features, new = self._unit_rows, _unit_rows(records)

        def make() -> np.ndarray:
            click.echo(f"{method}, {listed(parameters)}: {records.split}")
            annotator = ANNOTATORS[method][0](**parameters).fit(features, self.train.labels)
            return annotator.decision_function(new)

        key = content_key(
            method, listed(parameters), code_checksum(), [features, self.train.labels, new]
        )
        return self.fitted_scores.get(
            key, make, lambda made, path: np.savez(path, scores=made), _read_scores
        )

    @cached_property
    def _unit_rows(self) -> np.ndarray:
        return _unit_rows(self.train)

    def _chosen(self, method: str, found: list[dict[str, Any]]) -> dict[str, Any]:
        """The parameters of the best candidate; warns if one is at an end of those tried."""
        best = {**max(found, key=lambda one: one["score"])}
        del best["score"]
        tried = [run for run in self.runs if run["method"] == method]
        if ends := at_ends(best, tried):
            click.echo(f"{method}: {' and '.join(ends)} at an end of those tried", err=True)
        return best

    def _test_metrics(self, scores: np.ndarray) -> dict[str, float]:
        """The metrics over the vocabulary, in percent, and N+ as a number of words."""
        labels, scores = (array[:, self.vocabulary] for array in (self.test.labels, scores))
        report = annotation_report(labels, scores, min(K, labels.shape[1]))
        report["n_plus_words"] = round(report.pop("n_plus") / 100 * labels.shape[1])
        report["mean_average_precision"] = 100 * mean_average_precision(labels, scores)
        return report

    def _folder(self, method: str, name: str) -> Path:
        slug = (re.sub(r"[^\w.]+", "_", text.lower()) for text in (method, name))
        return self.work.joinpath("runs", *slug)

    def _add(
        self,
        method: str,
        settings: dict[str, Any],
        metrics: dict[str, float],
        measured: dict[str, Any] | None = None,
    ) -> None:
        measured = measured or {"commit": commit(), "versions": versions("numpy", "scikit-learn")}
        metrics = {name: round(float(metrics[name]), 4) for name in METRICS if name in metrics}
        context = self.networks.context
        self.runs.append(
            {
                "method": method,
                "split": "validation" if "score" in settings else "test",
                **settings,
                **metrics,
                "seconds": measured.get("seconds"),
                "backbone": context["network"]["backbone"],
                "weights": context["network"]["weights"],
                "data_checksum": context["data_checksum"],
                "commit": measured.get("commit"),
                "versions": _in_words(measured.get("versions", {})),
            }
        )
        click.echo(f"{method}, {listed({**settings, **metrics})}")


def at_ends(best: dict[str, Any], found: list[dict[str, Any]]) -> list[str]:
    """The parameters whose best value is the lowest or highest of those tried.

    Weight decay is left out: that nothing decays is the lower end, and often best.
    """
    names = [name for name in best if name != "weight_decay"]
    tried = {name: sorted({one[name] for one in found}) for name in names}
    return [name for name in names if best[name] in (tried[name][0], tried[name][-1])]


def table_of(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per method: the chosen settings, and the mean of each metric over the seeds with the
    sample standard deviation."""
    rows = []
    for method, of_method in runs.groupby("method", sort=False):
        searched = of_method[of_method["split"] == "validation"]
        tested = of_method[of_method["split"] == "test"]
        names = [name for name in PARAMETERS if tested[name].notna().all()]
        chosen = tested.iloc[0][names].to_dict()
        ends = at_ends(chosen, searched[names].to_dict("records"))
        rows.append(
            {
                "method": method,
                "settings": listed(chosen),
                "tried": len(searched),
                "at an end": " and ".join(ends) or "no",
                "runs": len(tested),
                **{METRICS[name]: _mean_and_deviation(tested[name]) for name in METRICS},
            }
        )
    return pd.DataFrame(rows)


def minus_reference(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per other method: the mean difference from WARP over paired seeds in each metric,
    with its 95% t-interval. A method without seeds has one value, which is compared with all."""
    tested = runs[runs["split"] == "test"]
    reference = tested[tested["method"] == REFERENCE]
    rows = []
    for method, of_method in tested.groupby("method", sort=False):
        if method == REFERENCE:
            continue
        row = {"method": method}
        for name, heading in METRICS.items():
            difference = np.array(of_method[name]) - np.array(reference[name])
            interval = t_interval(difference.mean(), difference.std(ddof=1), len(difference))
            row[heading] = f"{difference.mean():+.1f}"
            if interval is not None:
                row[heading] += " ({:+.1f} to {:+.1f})".format(*interval)
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_and_deviation(values: pd.Series) -> str:
    if len(values) == 1:
        return f"{values.iloc[0]:.1f}"
    return f"{values.mean():.1f} ± {values.std():.1f}"


def _score(metrics: dict[str, float]) -> float:
    """What candidates are chosen by; 0 if the training diverged."""
    recalls = (metrics.get(f"{level}_recall", 0.0) for level in ("per_class", "overall"))
    return round(float(np.mean(list(recalls))), 4)


def _unit_rows(records: FeatureRecords) -> np.ndarray:
    """The features of the images as they are, divided by their length."""
    features = records.features[:, 0]
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)


def _read_scores(file) -> np.ndarray:
    with np.load(file, allow_pickle=False) as arrays:
        return arrays["scores"]


def _in_words(packages: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


@click.command()
@click.option("--input", "input_dir", type=FOLDER, required=True, help="Folder of Corel5K.")
@click.option("--weights", required=True, help="imagenet, or a file of weights of the network.")
@click.option("--backbone", default=BACKBONE, show_default=True, help="Of keras.applications.")
@click.option("--seeds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), help="Folder of the runs.")
@click.option("--output", type=click.Path(path_type=Path), help="The table as CSV.")
@click.option("--quick", is_flag=True, help="One epoch, to see that everything runs.")
def main(
    input_dir: Path,
    weights: str,
    backbone: str,
    seeds: int,
    work: Path | None,
    output: Path | None,
    quick: bool,
) -> None:
    """Prints which loss tags photographs best, and writes the tables as CSV."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        work = work or Path(temporary)
        choices = pretrained_networks(backbone, weights, default_size(backbone), K)
        choices = replace(choices, training={**choices.training, "batch_size": BATCH_SIZE})
        photographs: Any = EXPERIMENTS["corel5k"].data
        settings = {"size": choices.crop_size}
        convert_photographs(photographs, settings, input_dir, work / "data")
        networks = PretrainedNetworks("corel5k", choices, work / "data", work / "features")
        comparison = Comparison(networks, work, QUICK if quick else Budget())
        comparison.measure(range(seeds))
    runs = pd.DataFrame(comparison.runs, columns=list(RUN_COLUMNS))
    tables = {
        "": table_of(runs),
        "_minus_warp": minus_reference(runs),
        "_runs": runs.convert_dtypes(),
    }
    for name, table in tables.items():
        if name != "_runs":
            click.echo(f"\n{table.to_string(index=False)}")
        if output is not None:
            path = output.with_name(f"{output.stem}{name}.csv")
            write_bytes(path, table.to_csv(index=False).encode())
    click.echo(f"\n{date.today()}, peak memory {peak_megabytes():,.0f} MB")


if __name__ == "__main__":
    main()
