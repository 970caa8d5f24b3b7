"""The kNN and SVM rows over visual features, kept in a folder and reused when nothing changed."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from warptag.baselines import KNNAnnotator, SVMAnnotator, VisualFeatures
from warptag.data import Records
from warptag.experiments import provenance
from warptag.experiments.experiment import Experiment
from warptag.files import read_json, write_json, write_whole

KNN, SVM = "Visual Feature + kNN", "Visual Feature + SVM"


def baseline_scores(experiment: Experiment, data: Path, directory: Path) -> dict[str, np.ndarray]:
    """Scores of both annotators on the test images, fitted on the images the networks fit.

    Args:
        experiment: the choices.
        data: folder of the converted data set.
        directory: where features and scores are kept.

    Returns:
        Method name -> float32 (num_test_images, num_tags).
    """
    fit = Records(data, "train", "fit", experiment.validation_share)
    test = Records(data, "test")
    settings = {
        "features": experiment.features,
        "validation_share": experiment.validation_share,
        "data_checksum": fit.info.checksum,
        "code": provenance.code_checksum(
            "warptag.baselines", "warptag.data", "warptag.experiments.baselines"
        ),
        "versions": provenance.versions(
            "numpy", "scipy", "scikit-learn", "scikit-image", "opencv-python-headless", "tensorflow"
        ),
    }
    files = {KNN: directory / "knn_scores.npy", SVM: directory / "svm_scores.npy"}
    marker = directory / "settings.json"
    if read_json(marker) == settings:
        with suppress(OSError, ValueError):  # missing or damaged: made again
            return {method: np.load(path) for method, path in files.items()}
    marker.unlink(missing_ok=True)

    features = VisualFeatures(**experiment.features)
    fit_features, test_features = features.fit_transform(fit), features.transform(test)
    knn = KNNAnnotator().fit(fit_features, fit.labels)
    svm = SVMAnnotator().fit(fit_features, fit.labels)
    scores = {
        KNN: knn.decision_function(test_features),
        SVM: svm.decision_function(test_features),
    }
    for method, path in files.items():
        write_whole(path, partial(np.save, arr=scores[method]))
    write_json(marker, settings)
    return scores
