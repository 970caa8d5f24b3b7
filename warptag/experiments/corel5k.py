"""The Corel5K photographs, with a small network at 64 pixels.

    bash reproduce.sh corel5k --input DIR

DIR contains `db/` and `labels/` of the benchmark (4,500 training and 499 test photographs, 374
words). The network has a fraction of the paper's width, since a CPU trains it from scratch on a
few thousand photographs.
"""

from warptag.experiments.experiment import (
    ALL_ANNOTATORS,
    Experiment,
    Networks,
    Photographs,
    VisualFeatures,
)

NETWORKS = Networks(
    crop_size=55,
    architecture={"width": 0.125, "dense_units": 1024, "first_stride": 2, "dropout": 0.0},
    training={
        "epochs": 40,
        "flip": True,
        "window_area": None,
        "schedule": "cosine",
        "clip_norm": 5.0,
    },
    chosen={
        "softmax": {"learning_rate": 0.02, "normalization": "none"},
        "ranking": {"learning_rate": 0.01, "normalization": "violators"},
        "warp": {"learning_rate": 0.01, "normalization": "violators"},
    },
    search_epochs=8,
    searched_on="corel5k",
    shared_grid={"dropout": (0.0, 0.3, 0.6), "window_area": (None, (0.5, 1.0))},
    selection_k=5,
)

EXPERIMENT = Experiment(
    name="corel5k",
    title="Corel5K",
    data=Photographs("corel5k", {"size": 64}),
    # The features need more than the networks' 64 pixels: the photographs as they are, 192 x 128.
    features=VisualFeatures(
        {"codebook_size": 1000, "num_components": 500, "image_size": 256},
        source_settings={"size": None},
        annotators=ALL_ANNOTATORS,
        published=True,
    ),
    networks=NETWORKS,
)
