"""The comparison on rendered scenes: the embedded default, in minutes on two CPU cores.

    bash reproduce.sh

Synthetic pictures with NUS-WIDE's 81 concept names and its label statistics. What it shows is that
every part works and how the losses differ on data of that shape, not what they do on photographs.
"""

from warptag.experiments.experiment import Experiment
from warptag.training.settings import TrainingSettings

EXPERIMENT = Experiment(
    name="scenes",
    title="rendered scenes",
    synthetic=True,
    source="scenes",
    source_settings={"seed": 0, "size": 64, "train": 5400, "validation": 600, "test": 1500},
    needs_input=False,
    crop_size=55,
    network={"width": 0.125, "dense_units": 1024, "first_stride": 2},
    training=TrainingSettings(epochs=8, clip_norm=5.0),
    chosen={
        "softmax": (0.01, "none"),
        "ranking": (0.01, "violators"),
        "warp": (0.01, "violators"),
    },
    search_epochs=6,
    features={"codebook_size": 200, "num_components": 100, "image_size": 64},
)
