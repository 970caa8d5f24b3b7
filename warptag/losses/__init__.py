"""Losses over raw scores that rank an image's tags above the others (Keras, any backend)."""

from warptag.losses.multilabel_softmax import MultilabelSoftmax
from warptag.losses.pairwise_ranking import PairwiseRanking
from warptag.losses.warp import WARP

__all__ = ["WARP", "MultilabelSoftmax", "PairwiseRanking"]
