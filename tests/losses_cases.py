"""The losses under test, the deterministic ones with their slow references."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import losses_references as references
import pytest

from warptag.losses import (
    LSEP,
    WARP,
    AsymmetricLoss,
    KOrderStatisticWARP,
    MultilabelSoftmax,
    PairwiseRanking,
    WeightedBinaryCrossentropy,
)

PLACES = (1.0, 0.0, 3.0)


class Case(NamedTuple):
    make: Callable  # the loss, from further arguments such as `tag_weights`
    reference: Callable  # (labels, scores, tag_weights=None) -> one number per image


def pairwise(rank, **options):
    """A pairwise hinge loss; the rank "ranking" weighs every positive alike."""
    make = PairwiseRanking if rank == "ranking" else partial(WARP, rank=rank)
    weight = references.WEIGHTS[rank]
    return Case(partial(make, **options), partial(references.pairwise, weight=weight, **options))


def k_order(rank, **options):
    return Case(
        partial(KOrderStatisticWARP, rank=rank, **options),
        partial(references.k_order, weight=references.WEIGHTS[rank], **options),
    )


FOCUS = {"gamma_positive": 1.0, "gamma_negative": 2.0, "clip": 0.0}

DETERMINISTIC = {
    "softmax": Case(MultilabelSoftmax, references.softmax),
    "ranking": pairwise("ranking", normalization="violators"),
    "ranking-none": pairwise("ranking", normalization="none"),
    "exact": pairwise("exact", normalization="violators"),
    "expected": pairwise("expected", normalization="violators"),
    "k-order": k_order("exact", normalization="violators", places=PLACES),
    "lsep": Case(LSEP, references.lsep),
    "bce": Case(WeightedBinaryCrossentropy, references.binary_crossentropy),
    "asymmetric": Case(AsymmetricLoss, references.asymmetric),
    "asymmetric-focus": Case(
        partial(AsymmetricLoss, **FOCUS), partial(references.asymmetric, **FOCUS)
    ),
}

SAMPLED: dict[str, Callable] = {
    "sampled": partial(WARP, seed=1),
    "loop": partial(WARP, rank="loop", seed=1),
    "one-negative": partial(WARP, negatives="sampled", seed=1),
    "k-order-sampled": partial(KOrderStatisticWARP, seed=1),
}

LOSSES = {**{name: case.make for name, case in DETERMINISTIC.items()}, **SAMPLED}

PAIRWISE = [name for name in LOSSES if name.split("-")[0] not in ("softmax", "bce", "asymmetric")]
HINGES = [name for name in PAIRWISE if name != "lsep"]

every_loss = pytest.mark.parametrize("name", LOSSES)
every_deterministic_loss = pytest.mark.parametrize("name", DETERMINISTIC)
every_hinge_loss = pytest.mark.parametrize("name", HINGES)

TAG_WEIGHTS = [0.5, 1.0, 0.0, 2.0, 3.0, 1.0, 0.25, 1.5, 4.0]
