"""Made-up results that the tests of reporting share."""

import numpy as np
import pandas as pd

from warptag.methods import METHOD, PAPER_LOSSES
from warptag.reporting import Evaluation, published_table, write_results


def evaluation(num_tags=8, methods=tuple(METHOD), seeds=2, num_images=30, **changes):
    """Scores of the methods, those of networks with several seeds."""
    random = np.random.default_rng(0)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    labels[0, :2] = 1
    scores = {
        method: list(
            labels + random.normal(size=(seeds if method in PAPER_LOSSES else 1, *labels.shape))
        )
        for method in methods
    }
    arguments = {
        # A dollar sign and an underscore must not be read as mathematics.
        "tag_names": ["$_1$", *(f"tag {number}" for number in range(1, num_tags))],
        "test_labels": labels,
        "train_counts": random.integers(0, 200, num_tags),
        "scores": scores,
        "synthetic": True,
        "title": "Title of the data",
        "dataset": "scenes",
    }
    return Evaluation(**(arguments | changes))


def write_everything(folder, settings="no flips", **changes):
    """Results with everything there is; the paths that were written."""
    result = evaluation(**({"seeds": 3} | changes))
    labels = result.test_labels
    columns = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.2, 1.9], "val_n_plus": [0.1, 0.2, 0.25]}
    histories = [pd.DataFrame(columns).assign(epoch=[1, 2, 3]) for _ in range(3)]
    probabilities = np.random.default_rng(1).random(labels.shape)
    return write_results(
        result,
        folder,
        dict.fromkeys(PAPER_LOSSES, histories),
        {row: np.full((20 + row, 30, 3), 40 * row, np.uint8) for row in range(6)},
        [settings],
        published_table(labels, {"knn": labels}),
        dict.fromkeys(PAPER_LOSSES, probabilities),
    )
