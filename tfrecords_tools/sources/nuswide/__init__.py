"""NUS-WIDE: 269,648 Flickr images and 81 concepts, in the layout of its release.

T.-S. Chua et al., "NUS-WIDE: A Real-World Web Image Database from National University of
Singapore", CIVR 2009. The release has no images; put your copies at
`Flickr/<category>/<NNNN_id>.jpg`. The ground truth is `Groundtruth/`, one file per concept with a 0
or 1 per line. `NUS_WID_Tags/`, the noisy tags of Flickr's users, is refused in its place. Without
images, the release's `Low_Level_Features/` can be used.

Images without any of the 81 concepts are left out; 209,347 remain.
"""

from tfrecords_tools.sources.nuswide.feature_writer import write_features
from tfrecords_tools.sources.nuswide.features import Features, FeatureSplit, load_features
from tfrecords_tools.sources.nuswide.ground_truth import load_ground_truth
from tfrecords_tools.sources.nuswide.source import NUSWide
from tfrecords_tools.sources.nuswide.splits import paper_split

__all__ = [
    "FeatureSplit",
    "Features",
    "NUSWide",
    "load_features",
    "load_ground_truth",
    "paper_split",
    "write_features",
]
