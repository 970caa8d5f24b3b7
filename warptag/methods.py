"""The methods that the tables compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes:
        id: the name in code, in options and in file names, such as "warp".
        label: the name in tables and charts, such as "CNN + WARP".
        kind: "network" for networks trained from photographs, "features" for methods over visual
            features, "bound" for bounds that need no images.
    """

    id: str
    label: str
    kind: Literal["network", "features", "bound"]


#: In the order of the paper's tables; methods that the paper does not have come last.
METHODS = (
    Method("upper_bound", "Upper bound", "bound"),
    Method("knn", "Visual Feature + kNN", "features"),
    Method("svm", "Visual Feature + SVM", "features"),
    Method("softmax", "CNN + Softmax", "network"),
    Method("ranking", "CNN + Ranking", "network"),
    Method("warp", "CNN + WARP", "network"),
    Method("jec", "Visual Feature + JEC", "features"),
    Method("tagprop", "Visual Feature + TagProp", "features"),
    Method("two_pass_knn", "Visual Feature + 2PKNN", "features"),
    Method("upper_bound_random", "Upper bound (random)", "bound"),
    Method("most_frequent", "Most frequent tags", "bound"),
)

#: Method id -> method.
METHOD = {method.id: method for method in METHODS}
#: The losses of the paper, which are the ids of the networks.
LOSSES = tuple(method.id for method in METHODS if method.kind == "network")
