"""Searches, trains, fits and measures every method on one data set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.model_selection import ParameterGrid

from benchmarks.photograph_losses.cases import (
    ANNOTATORS,
    DECAY_PER_STEP,
    HEADS,
    METRICS,
    TOLERANCE,
    Budget,
    K,
    WeightedSettings,
    positive_weights,
)
from benchmarks.photograph_losses.tables import at_ends
from warptag.content_cache import ContentCache, content_key
from warptag.data import FeatureRecords
from warptag.metrics import annotation_report, mean_average_precision
from warptag.pipeline.pretrained import PretrainedNetworks
from warptag.pipeline.search import listed
from warptag.provenance import code_checksum, commit, versions
from warptag.training import TrainingDiverged, TrainingSettings
from warptag.training.run_folder import load_measured


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
