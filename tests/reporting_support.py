"""Made-up results that the tests of reporting share."""

import numpy as np
import pandas as pd

from warptag.methods import LOSSES, METHOD
from warptag.reporting import Evaluation


def evaluation(num_tags=8, methods=tuple(METHOD), seeds=2, num_images=30, **changes):
    """Scores of the methods, those of networks with several seeds."""
    random = np.random.default_rng(0)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    labels[0, :2] = 1
    scores = {}
    for method in methods:
        number = seeds if method in LOSSES else 1
        noise = random.normal(size=(number, num_images, num_tags))
        scores[method] = list(labels + noise)
    arguments = {
        # A dollar sign and an underscore must not be read as mathematics.
        "tag_names": ["$_1$", *(f"tag {number}" for number in range(1, num_tags))],
        "test_labels": labels,
        "train_counts": random.integers(0, 200, num_tags),
        "scores": scores,
        "synthetic": True,
        "title": "scenes",
        "dataset": "scenes",
    }
    return Evaluation(**(arguments | changes))


def histories(seeds=2):
    """Histories of the networks."""
    frame = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [3.0, 2.0, 1.5],
            "val_loss": [3.1, 2.2, 1.9],
            "val_per_class_recall": [0.1, 0.2, 0.25],
        }
    )
    later = ["loss", "val_loss", "val_per_class_recall"]
    return {
        loss: [frame.assign(**frame[later] * (1 + seed / 10)) for seed in range(seeds)]
        for loss in LOSSES
    }


def image(height=20, width=30):
    """A grey image."""
    return np.full((height, width, 3), 128, np.uint8)
