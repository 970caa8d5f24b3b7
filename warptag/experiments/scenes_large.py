"""More rendered scenes, which take about half an hour on two CPU cores.

    bash reproduce.sh scenes-large

The first pictures of every split are those of `scenes`. The networks are the same, with the
settings that were chosen on the validation pictures of `scenes`, and are trained for more epochs.
"""

from dataclasses import replace

from warptag.experiments.experiment import Experiment
from warptag.experiments.scenes import DATA, FEATURES, NETWORKS

EXPERIMENT = Experiment(
    name="scenes-large",
    title="rendered scenes, large",
    data=replace(
        DATA, settings={**DATA.settings, "train": 30_000, "validation": 2_000, "test": 5_000}
    ),
    features=FEATURES,
    networks=replace(NETWORKS, training={**NETWORKS.training, "epochs": 12}),
)
