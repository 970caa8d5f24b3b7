"""Probabilities from scores: Platt's logistic regression with a term for each image's scale.

Scores only rank the tags of one image. A ranking loss leaves their scale undetermined and a softmax
their offset, so the same score means different things on different images. The log-sum-exp of an
image's scores describes its scale. With it, one logistic regression fits all three losses.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from keras import ops

from tfrecords_tools.files import write_json
from tfrecords_tools.typed_json import read_as

CALIBRATION = "calibration.json"
#: The maximum number of (image, tag) pairs to fit to; the first images are used.
MAX_PAIRS = 8_000_000


@dataclass(frozen=True)
class Calibration:
    """Maps the scores of an image to a probability for each tag.

    The probability of a tag with score s is
    `sigmoid(score * s + log_sum_exp * log(sum_j exp(s_j)) + intercept)`, where j runs over all
    tags of the image.

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999, equation 9; the second
    term is added here.

    Args:
        score: the weight of the tag's score, at least 0, which keeps the order of an image's tags.
        log_sum_exp: the weight of the log-sum-exp of the image's scores.
        intercept: the intercept of the logit.

    Example:
        >>> Calibration(1.0, -1.0, 0.0).probabilities([[0.0, 0.0]]).round(3)  # softmax / (1 + it)
        array([[0.333, 0.333]], dtype=float32)
    """

    score: float
    log_sum_exp: float
    intercept: float

    def logits(self, scores):
        """The logits of the probabilities.

        Args:
            scores: float tensor of any backend, or array, (..., num_tags).

        Returns:
            A tensor of the same shape.
        """
        scale = ops.logsumexp(scores, axis=-1, keepdims=True)
        return self.score * scores + self.log_sum_exp * scale + self.intercept

    def probabilities(self, scores) -> np.ndarray:
        """The probability of each tag.

        Args:
            scores: raw scores, float (num_images, num_tags).

        Returns:
            float32 (num_images, num_tags) in [0, 1].
        """
        logits = self.logits(ops.convert_to_tensor(scores, "float32"))
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def save(self, run: Path) -> None:
        """Writes the calibration to the folder of a run."""
        write_json(run / CALIBRATION, asdict(self))


def fit_calibration(scores: np.ndarray, labels: np.ndarray) -> Calibration | None:
    """Fits a calibration by maximum likelihood over all images and tags.

    Args:
        scores: float (num_images, num_tags), scores of images that the network was not trained on.
        labels: int (num_images, num_tags): 1, 0, or -1 for unknown, which is ignored.

    Returns:
        The calibration, or None if there are no images or all known labels are the same.

    Example:
        >>> scores = np.random.default_rng(0).normal(size=(500, 4))
        >>> calibration = fit_calibration(scores, scores > 0.5)
        >>> bool(calibration.probabilities([[2.0, 0, 0, 0]])[0, 0] > 0.9)
        True
    """
    from scipy.optimize import minimize
    from scipy.special import expit, logsumexp

    num_images = max(1, MAX_PAIRS // max(1, scores.shape[1]))
    scores, labels = np.asarray(scores[:num_images], np.float64), np.asarray(labels[:num_images])
    known = labels >= 0
    positive = (labels == 1)[known].astype(np.float64)
    if not 0 < positive.sum() < len(positive):
        return None
    scale = np.broadcast_to(logsumexp(scores, axis=1, keepdims=True), scores.shape)
    inputs = np.stack([scores[known], scale[known], np.ones(len(positive))], axis=1)
    # On standardized inputs, the solver needs few steps whatever the scale of the scores.
    center, spread = inputs.mean(axis=0), inputs.std(axis=0)
    center[2], spread[spread < 1e-12] = 0.0, 1.0
    inputs = (inputs - center) / spread

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = inputs @ weights
        loss = np.logaddexp(0.0, logits).mean() - (positive * logits).mean()
        return float(loss), inputs.T @ (expit(logits) - positive) / len(positive)

    base_rate = positive.mean()
    start = np.array([1.0, 0.0, math.log(base_rate / (1 - base_rate))])
    bounds = [(0.0, None), (None, None), (None, None)]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds)
    weights = found.x / spread
    weights[2] -= float(weights[:2] @ center[:2])
    return Calibration(*(float(f"{weight:.6g}") for weight in weights))


def load_calibration(run: Path) -> Calibration | None:
    """Loads the calibration of a run; None if the run has none.

    Raises:
        InputError: the file is damaged.

    Example:
        >>> load_calibration(Path("results/scenes/models/warp"))  # doctest: +SKIP
    """
    path = run / CALIBRATION
    fix = "remove it and repeat the command that trained the network, which writes a new one"
    return read_as(path, Calibration, fix) if path.exists() else None
