"""The six low-level features that come with NUS-WIDE, instead of the paper's nine; no images.

    bash reproduce.sh nuswide-features --input DIR

DIR contains `ConceptsList/`, `Groundtruth/`, `ImageList/` and `Low_Level_Features/` of the
release.
"""

from warptag.experiments.experiment import Experiment, NUSWideFeatures, NUSWideLabels

EXPERIMENT = Experiment(
    name="nuswide-features",
    title="NUS-WIDE (its six low-level features)",
    data=NUSWideLabels(),
    features=NUSWideFeatures(),
)
