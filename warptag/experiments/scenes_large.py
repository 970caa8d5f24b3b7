"""As many rendered scenes as the paper has training photographs; over an hour on two CPU cores.

    bash reproduce.sh scenes-large

The first pictures of every split are those of `scenes`. With so many pictures a larger network
pays: twice the width and the hidden units of `scenes`, and a smaller first stride. Its other
settings were chosen on the validation pictures of `scenes`. Five patches of a picture are scored,
since their mean had the higher overall recall on the validation pictures.
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
