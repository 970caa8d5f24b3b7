"""What a run shows: a bar in a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from warptag.metrics.counts import FIGURES


class Progress:
    """Images a second, time left, loss, learning rate, and the figures of the last epoch.

    Args:
        name: of the run.
        num_images: of the whole run.
        first_image: those done before.
        num_epochs: of the whole run.
        visible: False on all machines but one.
    """

    def __init__(
        self, name: str, num_images: int, first_image: int, num_epochs: int, visible: bool = True
    ):
        self.name, self.num_epochs = name, num_epochs
        self.visible, self.terminal = visible, sys.stderr.isatty()
        self.figures = ""
        self.bar = tqdm(
            desc=name,
            total=num_images,
            initial=first_image,
            unit="image",
            unit_scale=True,
            disable=not (visible and self.terminal),
            file=sys.stderr,
            dynamic_ncols=True,
        )

    def say(self, text: str) -> None:
        """A line of its own."""
        if self.visible:
            self.bar.write(f"{self.name}: {text}", file=sys.stderr)

    def update(self, num_images: int, loss: float, learning_rate: float) -> None:
        self.bar.set_postfix_str(
            f"loss {loss:.3f}, rate {learning_rate:.3g}{self.figures}", refresh=False
        )
        self.bar.update(num_images)

    def end_epoch(self, row: Mapping[str, Any], images_per_second: float) -> None:
        """Shows an epoch's figures: per-class / overall, percent, on validation images."""
        percent = {name: 100 * row[f"val_{name}"] for name in FIGURES}
        self.figures = (
            ", recall {per_class_recall:.1f}/{overall_recall:.1f}, "
            "precision {per_class_precision:.1f}/{overall_precision:.1f}, "
            "N+ {n_plus:.1f}".format(**percent)
        )
        if not self.terminal:
            self.say(
                f"epoch {row['epoch']}/{self.num_epochs}, loss {row['loss']:.3f}, "
                f"rate {row['learning_rate']:.3g}{self.figures}, "
                f"{images_per_second:,.0f} images/s"
            )

    def close(self) -> None:
        self.bar.close()
