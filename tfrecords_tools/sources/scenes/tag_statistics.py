"""Label sets that follow the statistics of NUS-WIDE."""

import csv
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_name("tag_statistics.csv")
MAX_TAGS = 13


class TagStatistics:
    """Draws label sets from a tree of tags fitted to the real ones.

    A tag depends only on its parent; sets without tags, or with more than 13, the largest real
    number, are drawn again.

    Attributes:
        tag_names: the 81 names, alphabetical as in `Concepts81.txt`.
        counts: int array (81,), the number of the 209,347 tagged images with each tag.
        parents: each tag's parent, -1 for the root.
        probabilities: (81, 2), of each tag if its parent is absent and if it is present.

    Example:
        >>> TagStatistics().sample(np.random.default_rng(0))
        (13, 55, 61, 62)
    """

    def __init__(self) -> None:
        with TABLE.open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.tag_names = [row["name"] for row in rows]
        index = {name: tag for tag, name in enumerate(self.tag_names)}
        self.counts = np.array([int(row["count"]) for row in rows])
        self.parents = [index.get(row["parent"], -1) for row in rows]
        self.probabilities = np.array(
            [
                (float(row["probability_parent_absent"]), float(row["probability_parent_present"]))
                for row in rows
            ]
        )
        self._order = self._parents_first()

    def _parents_first(self) -> list[int]:
        order = [self.parents.index(-1)]
        for parent in order:  # grows during the loop
            order.extend(tag for tag, its in enumerate(self.parents) if its == parent)
        return order

    def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
        """One label set: 1 to 13 tag ids in ascending order."""
        while True:
            uniform = rng.random(len(self.tag_names))
            present = np.zeros(len(self.tag_names), dtype=bool)
            for tag in self._order:
                parent = self.parents[tag]
                given = int(parent >= 0 and present[parent])
                present[tag] = uniform[tag] < self.probabilities[tag, given]
            if 1 <= present.sum() <= MAX_TAGS:
                return tuple(np.flatnonzero(present).tolist())
