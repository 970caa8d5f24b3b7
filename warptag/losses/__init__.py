"""Losses over raw scores and the tags of each image (Keras, any backend)."""

from warptag.losses.asymmetric_loss import AsymmetricLoss
from warptag.losses.binary_crossentropy import WeightedBinaryCrossentropy
from warptag.losses.k_order_statistic_warp import KOrderStatisticWARP
from warptag.losses.lsep import LSEP
from warptag.losses.multilabel_softmax import MultilabelSoftmax
from warptag.losses.pairwise_ranking import PairwiseRanking
from warptag.losses.warp import WARP

__all__ = [
    "LSEP",
    "WARP",
    "AsymmetricLoss",
    "KOrderStatisticWARP",
    "MultilabelSoftmax",
    "PairwiseRanking",
    "WeightedBinaryCrossentropy",
]
