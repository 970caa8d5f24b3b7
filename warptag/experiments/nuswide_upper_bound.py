"""The upper bound on the real NUS-WIDE labels, which needs no images.

    bash reproduce.sh nuswide-upper-bound --input DIR

DIR contains `ConceptsList/` and `Groundtruth/AllLabels/` of the release. Expected, in under a
minute: with the rule "rarest first", every number of the paper's row within 0.3.
"""

from warptag.experiments.experiment import Experiment, NUSWideLabels

EXPERIMENT = Experiment(
    name="nuswide-upper-bound",
    title="NUS-WIDE (real labels, no images)",
    data=NUSWideLabels(),
)
