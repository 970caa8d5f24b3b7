"""How much each choice that the paper leaves open changes the metrics over visual features.

    python -m benchmarks.feature_choices --data results/corel5k/feature_data \\
        --cache results/corel5k/baselines/histograms --output docs/feature_choices.csv

Corel5K's training images are fitted and its validation images scored, k = 5; test images are not
used. One choice is changed at a time, and everything else is the default. The histograms are read
from the cache that `bash reproduce.sh corel5k` filled, or computed into it. Rows that are in the
output already are not measured again; remove the file to measure all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from sklearn.base import clone

from warptag.baselines import (
    JECAnnotator,
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
    VisualFeatures,
)
from warptag.data import Records
from warptag.experiments.corel5k import EXPERIMENT
from warptag.metrics import annotation_report

K = 5
LINEAR = "histograms: linear kernel, of counts"


def feature_variants() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "default", {}
    yield "histograms: chi-squared kernel", {"histogram_kernel": "chi2"}
    yield LINEAR, {"histogram_kernel": "linear"}
    yield "GIST: linear kernel", {"gist_kernel": "linear"}
    yield "GIST: Hellinger kernel", {"gist_kernel": "hellinger"}
    yield "PCA to 200 columns per feature", {"num_components": 200}


def annotator_variants(blocks: list[int]) -> Iterator[tuple[str, str, Any]]:
    for k in (10, 200):
        yield "kNN", f"k = {k}", KNNAnnotator(k=k)
    for sigma in (1.0, 0.3, 0.1, 0.05, 0.02):
        yield "kNN", f"sigma = {sigma:g}", KNNAnnotator(sigma=sigma)
    for weight in (0.2, 20.0):
        yield "SVM", f"C = {weight:g}", SVMAnnotator(C=weight)
    for k in (1, 2, 10):
        yield "JEC", f"k = {k}", JECAnnotator(k=k, blocks=blocks)
    for k in (100, 400):
        yield "TagProp", f"k = {k}", TagPropAnnotator(k=k, blocks=blocks)
    yield "TagProp", "by rank", TagPropAnnotator(weights="rank", blocks=blocks)
    yield "TagProp", "without sigmoids", TagPropAnnotator(sigmoid=False, blocks=blocks)
    for scale in (20.0, 40.0, 80.0, 100.0):
        yield "2PKNN", f"scale = {scale:g}", TwoPassKNNAnnotator(scale=scale, blocks=blocks)


def unit_rows(X: np.ndarray, blocks: list[int]) -> np.ndarray:
    """Each feature's part of each row divided by its length."""
    parts = np.split(X, np.cumsum(blocks)[:-1], axis=1)
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    return np.concatenate([p / np.maximum(d, 1e-9) for p, d in zip(parts, lengths, strict=True)], 1)


def unscaled(X: np.ndarray, visual: VisualFeatures) -> np.ndarray:
    """Each feature in its kernel's own unit, without the common mean length."""
    scales = [embedding.scale_ for embedding in visual.embeddings_.values()]
    return X * np.repeat(scales, visual.blocks_)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--cache", type=click.Path(path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), required=True)
def main(data: Path, cache: Path, output: Path) -> None:
    """Writes a CSV with one row per change: method, choice and metrics on validation images."""
    train, validation = Records(data, "train"), Records(data, "validation")
    rows = pd.read_csv(output).to_dict("records") if output.exists() else []
    done = {(row["method"], row["choice"]) for row in rows}

    def measure(method: str, choice: str, annotator, X, new_X) -> None:
        if (method, choice) in done:
            return
        scores = clone(annotator).fit(X, train.labels).decision_function(new_X)
        report = annotation_report(validation.labels, scores, K)
        num_words = int((validation.labels == 1).any(axis=0).sum())
        figures = {name: report[name] for name in report if name != "n_plus"}
        figures["n_plus_words"] = round(report["n_plus"] / 100 * num_words)
        rows.append({"method": method, "choice": choice, **figures})
        click.echo(f"{method:8} {choice:40} " + "  ".join(f"{v:.1f}" for v in figures.values()))
        table = pd.DataFrame(rows)
        table.to_csv(output, index=False, float_format="%.2f", lineterminator="\n")

    visual = VisualFeatures(**EXPERIMENT.features, cache_dir=cache)
    for label, change in feature_variants():
        changed = clone(visual).set_params(**change)
        X, new_X = changed.fit_transform(train), changed.transform(validation)
        blocks = changed.blocks_
        annotators = [
            ("kNN", KNNAnnotator()),
            ("SVM", SVMAnnotator()),
            ("JEC", JECAnnotator(blocks=blocks)),
            ("TagProp", TagPropAnnotator(blocks=blocks)),
            ("2PKNN", TwoPassKNNAnnotator(blocks=blocks)),
        ]
        for method, annotator in annotators:
            # An SVM takes minutes; it is fitted on the changes that move it most.
            if method != "SVM" or label in ("default", LINEAR):
                measure(method, label, annotator, X, new_X)
        if label == "default":
            unit = [unit_rows(part, blocks) for part in (X, new_X)]
            raw = [unscaled(part, changed) for part in (X, new_X)]
            for method, annotator in annotators:
                measure(method, "rows of each feature of length 1", annotator, *unit)
                if method != "SVM":
                    measure(method, "features in their own units", annotator, *raw)
            for method, choice, annotator in annotator_variants(blocks):
                measure(method, choice, annotator, X, new_X)


if __name__ == "__main__":
    main()
