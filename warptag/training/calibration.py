"""Probabilities from scores: Platt's logistic regression with a term for each image's scale.

Scores only rank the tags of one image. A ranking loss leaves their scale and a softmax their offset
open, so that one score means different things on different images. The logarithm of the sum of
exponentials over an image's scores says where that image's scale lies; with it one logistic
regression fits all three losses.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from keras import ops

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_json

CALIBRATION = "calibration.json"
#: (image, tag) pairs that the fit takes at most; those of the first images.
MOST_PAIRS = 8_000_000


@dataclass(frozen=True)
class Calibration:
    """p = sigmoid(score * s + log_sum_exp * log sum_j exp(s_j) + intercept).

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999, equation 9; the second
    term is ours.

    Args:
        score: weight of the tag's score, at least 0, so that the order of an image's tags stays.
        log_sum_exp: weight of the image's log-sum-exp over all tags.
        intercept: of the logit.

    Example:
        >>> Calibration(1.0, -1.0, 0.0).probabilities([[0.0, 0.0]]).round(3)  # softmax / (1 + it)
        array([[0.333, 0.333]], dtype=float32)
    """

    score: float
    log_sum_exp: float
    intercept: float

    def logits(self, scores):
        """Of a tensor of any backend, or an array: float (..., num_tags) to the same shape."""
        scale = ops.logsumexp(scores, axis=-1, keepdims=True)
        return self.score * scores + self.log_sum_exp * scale + self.intercept

    def probabilities(self, scores) -> np.ndarray:
        """How likely each tag is.

        Args:
            scores: (num_images, num_tags), raw scores.

        Returns:
            float32 (num_images, num_tags) in [0, 1].
        """
        logits = self.logits(ops.convert_to_tensor(scores, "float32"))
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def save(self, run: Path) -> None:
        """Write it into the folder of a run."""
        write_json(run / CALIBRATION, asdict(self))


def fit_calibration(scores: np.ndarray, labels: np.ndarray) -> Calibration | None:
    """The calibration of the highest likelihood, over all images and tags.

    Args:
        scores: float (num_images, num_tags) of images that the network was not fitted to.
        labels: (num_images, num_tags): 1, 0, or -1 for unknown, which is left out.

    Returns:
        None where nothing can be fitted: no image, or all labels are the same.

    Example:
        >>> scores = np.random.default_rng(0).normal(size=(500, 4))
        >>> calibration = fit_calibration(scores, scores > 0.5)
        >>> bool(calibration.probabilities([[2.0, 0, 0, 0]])[0, 0] > 0.9)
        True
    """
    from scipy.optimize import minimize
    from scipy.special import expit, logsumexp

    num_images = max(1, MOST_PAIRS // max(1, scores.shape[1]))
    scores, labels = np.asarray(scores[:num_images], np.float64), np.asarray(labels[:num_images])
    known = labels >= 0
    positive = (labels == 1)[known].astype(np.float64)
    if not 0 < positive.sum() < len(positive):
        return None
    scale = np.broadcast_to(logsumexp(scores, axis=1, keepdims=True), scores.shape)
    inputs = np.stack([scores[known], scale[known], np.ones(len(positive))], axis=1)
    # Centred and scaled, the search needs few steps whatever the scale of the scores.
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
    """The calibration of a run; None where none could be fitted.

    Raises:
        InputError: the file is damaged.

    Example:
        >>> load_calibration(Path("results/scenes/models/warp"))  # doctest: +SKIP
    """
    path = run / CALIBRATION
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(**{name: float(value) for name, value in content.items()})
        if not all(map(math.isfinite, asdict(calibration).values())):
            raise ValueError("a number is not finite")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); remove it, and give the command that trained the "
            "run again, which writes it anew"
        ) from error
    return calibration
