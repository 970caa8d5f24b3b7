"""Rendered scenes: the default, which takes minutes on two CPU cores.

    bash reproduce.sh

The pictures are synthetic, with NUS-WIDE's 81 concept names and its label statistics. They show
that every part works and how the losses differ on data of this shape, not how photographs are
tagged.
"""

from warptag.experiments.experiment import Experiment, Networks, Photographs, VisualFeatures

DATA = Photographs(
    "scenes",
    {"seed": 0, "size": 64, "train": 12_000, "validation": 600, "test": 1_500},
    needs_input=False,
    synthetic=True,
)
FEATURES = VisualFeatures({"codebook_size": 200, "num_components": 100, "image_size": 64})
NETWORKS = Networks(
    crop_size=55,
    architecture={"width": 0.125, "dense_units": 512, "first_stride": 3, "dropout": 0.0},
    training={"epochs": 8, "batch_size": 32, "flip": True, "schedule": "cosine", "clip_norm": 5.0},
    chosen={
        "softmax": {"learning_rate": 0.01, "normalization": "none"},
        "ranking": {"learning_rate": 0.01, "normalization": "violators"},
        "warp": {"learning_rate": 0.01, "normalization": "violators"},
    },
    search_epochs=3,
    searched_on="scenes",
    shared_grid={"dropout": (0.0, 0.1, 0.3, 0.6)},
)

EXPERIMENT = Experiment(
    name="scenes",
    title="rendered scenes",
    data=DATA,
    features=FEATURES,
    networks=NETWORKS,
)
