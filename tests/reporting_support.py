"""Made-up results that the tests of reporting share."""

import numpy as np
import pandas as pd

from warptag.methods import METHODS, PAPER_LOSSES
from warptag.reporting import Evaluation, published_table, write_results
from warptag.reporting.label_errors import label_errors

NETWORKS = [method.id for method in METHODS if method.loss in PAPER_LOSSES]
#: Those of the paper's losses, from scratch and pretrained, and all that is not a network.
SOME_METHODS = tuple(
    method.id for method in METHODS if method.kind != "network" or method.id in NETWORKS
)


def evaluation(num_tags=8, methods=SOME_METHODS, seeds=2, num_images=30, **changes):
    """Scores of the methods, those of networks with several seeds."""
    random = np.random.default_rng(0)
    labels = (random.random((num_images, num_tags)) < 0.3).astype(int)
    labels[0, :2] = 1
    scores = {
        method: list(
            labels + random.normal(size=(seeds if method in NETWORKS else 1, *labels.shape))
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
    networks = [method for method in result.scores if method in NETWORKS]
    labels = result.test_labels
    columns = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.2, 1.9], "val_n_plus": [0.1, 0.2, 0.25]}
    histories = [pd.DataFrame(columns).assign(epoch=[1, 2, 3]) for _ in range(3)]
    probabilities = np.random.default_rng(1).random(labels.shape)
    images = {row: np.full((20 + row, 30, 3), 8 * row, np.uint8) for row in range(len(labels))}
    probabilities = dict.fromkeys(networks, probabilities)
    names = [f"{row} {settings}.jpg" for row in images]
    return write_results(
        result,
        folder,
        dict.fromkeys(networks, histories),
        {row: images[row] for row in range(6)},
        [settings],
        published_table(labels, {"knn": labels}),
        probabilities,
        label_errors(result, probabilities, names, lambda rows: [images[row] for row in rows]),
    )
