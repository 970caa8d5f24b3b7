"""The paper's network in plain PyTorch, which warptag's is compared with."""

from __future__ import annotations

from torch import nn

from warptag.models.alexnet import FILTERS, KERNEL_SIZES, POOLED


def pytorch_network(num_tags: int, width: float = 1.0, dense_units: int = 4096) -> nn.Module:
    """The layers of `warptag.models.AlexNet`, from pixels between -1 and 1 to scores.

    Its dense layers are made by the first call, which must come before the optimizer.
    """
    layers: list[nn.Module] = []
    channels = 3
    for i, (filters, kernel, pooled) in enumerate(zip(FILTERS, KERNEL_SIZES, POOLED, strict=True)):
        filters, stride = max(1, round(filters * width)), 4 if i == 0 else 1
        layers += [nn.Conv2d(channels, filters, kernel, stride, kernel // 2), nn.ReLU()]
        layers += [nn.MaxPool2d(3, 2, 1)] if pooled else []
        channels = filters
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.LazyLinear(dense_units), nn.ReLU(), nn.Dropout(0.6)]
    return nn.Sequential(*layers, nn.LazyLinear(num_tags))
