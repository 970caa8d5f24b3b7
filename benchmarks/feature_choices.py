"""How much each choice that the paper leaves open changes the metrics over visual features.

    python -m benchmarks.feature_choices --data results/corel5k/feature_data \\
        --cache results/corel5k/baselines/histograms --output docs/feature_choices.csv

The annotators are fitted to Corel5K's training images and score its validation images, k = 5; test
images are not used. One choice is changed at a time, and everything else is the default. The
histograms are read from the cache that `bash reproduce.sh corel5k` filled, or computed into it.
Rows that are in the output already are not measured again; remove the file to measure all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from benchmarks.measuring import FOLDER
from tfrecords_tools.files import write_bytes
from warptag.baselines import (
    JECAnnotator,
    KNNAnnotator,
    SVMAnnotator,
    TagPropAnnotator,
    TwoPassKNNAnnotator,
    VisualFeatures,
)
from warptag.data import Records
from warptag.experiments import EXPERIMENTS
from warptag.metrics import annotation_report

K = 5
LINEAR = "histograms: linear kernel, of counts"
FEATURE_CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "histograms: chi-squared kernel": {"histogram_kernel": "chi2"},
    LINEAR: {"histogram_kernel": "linear"},
    "GIST: linear kernel": {"gist_kernel": "linear"},
    "GIST: Hellinger kernel": {"gist_kernel": "hellinger"},
    "PCA to 200 columns per feature": {"num_components": 200},
}
ANNOTATOR_CHOICES: list[tuple[str, str, dict[str, Any]]] = [
    *(("kNN", f"k = {k}", {"k": k}) for k in (10, 200)),
    *(("kNN", f"sigma = {sigma:g}", {"sigma": sigma}) for sigma in (1, 0.3, 0.1, 0.05, 0.02)),
    *(("SVM", f"C = {weight:g}", {"C": weight}) for weight in (0.2, 20)),
    *(("JEC", f"k = {k}", {"k": k}) for k in (1, 2, 10)),
    *(("TagProp", f"k = {k}", {"k": k}) for k in (100, 400)),
    ("TagProp", "by rank", {"weights": "rank"}),
    ("TagProp", "without sigmoids", {"sigmoid": False}),
    *(("2PKNN", f"scale = {scale:g}", {"scale": scale}) for scale in (20, 40, 80, 100)),
]


def annotators_of(blocks: list[int]) -> dict[str, BaseEstimator]:
    """The annotators with their defaults, for features of these widths."""
    return {
        "kNN": KNNAnnotator(),
        "SVM": SVMAnnotator(),
        "JEC": JECAnnotator(blocks=blocks),
        "TagProp": TagPropAnnotator(blocks=blocks),
        "2PKNN": TwoPassKNNAnnotator(blocks=blocks),
    }


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
@click.option("--data", type=FOLDER, required=True, help="Folder of the records.")
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="Histograms.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The table as CSV.")
def main(data: Path, cache: Path, output: Path) -> None:
    """Writes a CSV with one row per change: method, choice and metrics on validation images."""
    train, validation = Records(data, "train"), Records(data, "validation")
    rows = pd.read_csv(output).to_dict("records") if output.exists() else []
    done = {(row["method"], row["choice"]) for row in rows}

    def measure(method: str, choice: str, annotator: BaseEstimator, X, new_X) -> None:
        if (method, choice) in done:
            return
        scores = clone(annotator).fit(X, train.labels).decision_function(new_X)
        report = annotation_report(validation.labels, scores, K)
        num_words = int((validation.labels == 1).any(axis=0).sum())
        report["n_plus_words"] = round(report.pop("n_plus") / 100 * num_words)
        rows.append({"method": method, "choice": choice, **report})
        table = pd.DataFrame(rows)
        click.echo(table.tail(1).to_string(index=False, header=False, float_format="%.1f"))
        write_bytes(output, table.to_csv(index=False, float_format="%.2f").encode())

    features: Any = EXPERIMENTS["corel5k"].features
    visual = VisualFeatures(**features.arguments, cache_dir=cache)
    for choice, change in FEATURE_CHOICES.items():
        changed = clone(visual).set_params(**change)
        images = changed.fit_transform(train), changed.transform(validation)
        annotators = annotators_of(changed.blocks_)
        for method, annotator in annotators.items():
            # An SVM takes minutes; it is fitted to the changes that move it most.
            if method != "SVM" or choice in ("default", LINEAR):
                measure(method, choice, annotator, *images)
        if choice != "default":
            continue
        unit = [unit_rows(part, changed.blocks_) for part in images]
        raw = [unscaled(part, changed) for part in images]
        for method, annotator in annotators.items():
            measure(method, "rows of each feature of length 1", annotator, *unit)
            if method != "SVM":
                measure(method, "features in their own units", annotator, *raw)
        for method, changed_choice, parameters in ANNOTATOR_CHOICES:
            annotator = clone(annotators[method]).set_params(**parameters)
            measure(method, changed_choice, annotator, *images)


if __name__ == "__main__":
    main()
