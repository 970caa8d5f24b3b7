"""The methods that the tables compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Method:
    """One row of the tables.

    Attributes:
        id: the name in code and in file names, such as "warp".
        label: the name in tables and charts, such as "CNN + WARP".
        kind: "network" for trained networks, "features" for methods over visual features, "bound"
            for bounds that need no images.
        loss: the id of the loss of a network; "" for other methods.
        pretrained: whether the network was trained on other photographs before.
    """

    id: str
    label: str
    kind: Literal["network", "features", "bound"]
    loss: str = ""
    pretrained: bool = False


#: Id of a loss, as `--loss` takes it -> its name in labels.
LOSSES = {
    "softmax": "Softmax",
    "ranking": "Ranking",
    "warp": "WARP",
    "k_order_warp": "k-order WARP",
    "lsep": "LSEP",
    "asymmetric": "Asymmetric",
    "bce": "BCE",
}
#: The losses of the paper, in the order of its tables.
PAPER_LOSSES = ("softmax", "ranking", "warp")

#: In the order of the paper's tables; methods that the paper does not have come last.
METHODS = (
    Method("upper_bound", "Upper bound", "bound"),
    Method("knn", "Visual Feature + kNN", "features"),
    Method("svm", "Visual Feature + SVM", "features"),
    *(Method(loss, f"CNN + {label}", "network", loss) for loss, label in LOSSES.items()),
    *(
        Method(f"pretrained_{loss}", f"Pretrained + {label}", "network", loss, pretrained=True)
        for loss, label in LOSSES.items()
    ),
    Method("jec", "Visual Feature + JEC", "features"),
    Method("tagprop", "Visual Feature + TagProp", "features"),
    Method("two_pass_knn", "Visual Feature + 2PKNN", "features"),
    Method("upper_bound_random", "Upper bound (random)", "bound"),
    Method("most_frequent", "Most frequent tags", "bound"),
)

#: Method id -> method.
METHOD = {method.id: method for method in METHODS}


def network_method(loss: str, pretrained: bool) -> Method:
    """The row of a network.

    Args:
        loss: the id of the loss.
        pretrained: whether the network was trained on other photographs before.

    Example:
        >>> network_method("warp", pretrained=True).label
        'Pretrained + WARP'
    """
    return METHOD[f"pretrained_{loss}" if pretrained else loss]


def method_of(settings: Mapping[str, Any]) -> Method:
    """The row of a training run.

    Args:
        settings: the settings of the run, with `loss` and `network`. The run is pretrained if the
            network has `weights`.

    Example:
        >>> method_of({"loss": "warp", "network": {"width": 0.5}}).label
        'CNN + WARP'
    """
    pretrained = settings["network"].get("weights") is not None
    return network_method(settings["loss"], pretrained)
