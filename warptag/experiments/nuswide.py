"""The paper's own setting: NUS-WIDE, the full network at 220 of 256 pixels, 81 concepts.

    bash reproduce.sh nuswide --input DIR

DIR holds the release with its images under `Flickr/`. Needs GPUs; nobody may pass on the images,
so this run is not among the committed results. Expected numbers: the paper's, in `tables.md`.
Its learning rates and normalizations were not searched on NUS-WIDE: pass --search to do so.
"""

from warptag.experiments.experiment import Experiment
from warptag.training.settings import TrainingSettings

EXPERIMENT = Experiment(
    name="nuswide",
    title="NUS-WIDE",
    source="nuswide",
    source_settings={"size": 256, "split": "paper", "seed": 0},
    needs_input=True,
    crop_size=220,
    network={"width": 1.0, "dense_units": 4096, "first_stride": 4},
    # The loop, as the paper describes it.
    training=TrainingSettings(epochs=40, rank="loop"),
    chosen={
        "softmax": (0.002, "none"),
        "ranking": (0.002, "violators"),
        "warp": (0.002, "violators"),
    },
    search_epochs=5,
    features={"codebook_size": 1000, "num_components": 500, "image_size": 256},
    searched=False,
)
