"""The comparison on the Corel5K photographs, with a small network at 64 pixels.

    bash reproduce.sh corel5k --input DIR

DIR holds `db/` and `labels/` of the benchmark (4,500 training and 499 test photographs, 374
words). The network is the paper's at a fraction of its width, since it is trained from scratch on
a few thousand photographs by a CPU.
"""

from warptag.experiments.experiment import Experiment
from warptag.training.settings import TrainingSettings

EXPERIMENT = Experiment(
    name="corel5k",
    title="Corel5K",
    source="corel5k",
    source_settings={"size": 64},
    needs_input=True,
    crop_size=55,
    network={"width": 0.125, "dense_units": 1024, "first_stride": 2},
    training=TrainingSettings(epochs=25, clip_norm=5.0),
    chosen={
        "softmax": (0.02, "none"),
        "ranking": (0.02, "violators"),
        "warp": (0.005, "violators"),
    },
    search_epochs=8,
    features={"codebook_size": 1000, "num_components": 500, "image_size": 256},
    # The features need more than the networks' 64 pixels: the photographs as they are, 192 x 128.
    feature_source_settings={"size": None},
    published=True,
    selection_k=5,
)
