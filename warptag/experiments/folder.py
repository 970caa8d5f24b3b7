"""Photographs and tags of your own, with the network and settings of Corel5K.

    warptag train folder --input PHOTOS --output MINE

PHOTOS is a folder that `python -m tfrecords_tools convert folder` takes. The rates were searched on
Corel5K's photographs, the nearest of our data sets; nobody searched them on yours.
"""

from dataclasses import replace

from warptag.experiments.corel5k import EXPERIMENT as COREL5K

EXPERIMENT = replace(
    COREL5K,
    name="folder",
    title="own photographs",
    source="folder",
    source_settings={**COREL5K.source_settings, "test_share": 0.2},
    # Corel5K's 25 are for thousands of photographs.
    training=replace(COREL5K.training, epochs=100, flip=True, window_area=(0.5, 1.0)),
    feature_source_settings=None,
    published=False,
    selection_k=3,
    searched=False,
)
