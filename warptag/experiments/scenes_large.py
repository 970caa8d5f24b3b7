"""As many rendered scenes as the paper has training photographs: 1.5 hours on two CPU cores.

    bash reproduce.sh scenes-large

The first pictures of every split are those of `scenes`. With so many pictures, a larger network is
worth its time: it has twice the width and the hidden units of `scenes`, and a smaller first stride.
The learning rates and the dropout are those of `scenes`. The scores are means over five patches,
which gave a higher overall recall on validation pictures.
"""

from dataclasses import replace

from warptag.experiments.experiment import Experiment
from warptag.experiments.scenes import DATA, FEATURES, NETWORKS

EXPERIMENT = Experiment(
    name="scenes-large",
    title="rendered scenes, large",
    data=replace(
        DATA, settings={**DATA.settings, "train": 150_000, "validation": 2_000, "test": 5_000}
    ),
    features=FEATURES,
    networks=replace(
        NETWORKS,
        architecture={
            **NETWORKS.architecture,
            "width": 0.25,
            "dense_units": 1024,
            "first_stride": 2,
        },
        training={**NETWORKS.training, "epochs": 2},
        patches="five",
    ),
)
