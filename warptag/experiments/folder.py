"""Your own photographs and tags.

    warptag train folder --input PHOTOS --output MINE
    warptag reproduce folder --input PHOTOS

PHOTOS is a folder that `python -m tfrecords_tools convert folder` can read. `train` uses a
pretrained network (`pretrained.py`). The network below is the paper's, as on Corel5K, for
`reproduce` and for `train --from-scratch`, with the paper's dropout and more epochs: on 500 of
Corel5K's photographs, WARP without dropout was worse. Its learning rates were searched on all of
Corel5K's photographs, not on yours.
"""

from dataclasses import replace

from warptag.experiments.corel5k import NETWORKS
from warptag.experiments.experiment import Experiment, Photographs, VisualFeatures

EXPERIMENT = Experiment(
    name="folder",
    title="own photographs",
    data=Photographs("folder", {"size": 64, "test_share": 0.2}),
    features=VisualFeatures({"codebook_size": 1000, "num_components": 500, "image_size": 256}),
    networks=replace(
        NETWORKS,
        architecture={**NETWORKS.architecture, "dropout": 0.6},
        training={**NETWORKS.training, "epochs": 100, "window_area": (0.5, 1.0)},
        selection_k=3,
        searched_on="corel5k",
    ),
)
