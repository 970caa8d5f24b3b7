"""The source: splits of scenes, each determined by seed, split and number."""

from typing import Any

import cv2
import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import Record
from tfrecords_tools.sources.scenes.render import render
from tfrecords_tools.sources.scenes.tag_statistics import TagStatistics

MIN_SIZE, MAX_SIZE = 16, 256
JPEG_QUALITY = 92
#: Raise it with every change that paints other pictures for the same seed.
VERSION = 1

Item = tuple[str, int]


class Scenes:
    """Rendered scenes with the tags, the long tail and the co-occurrences of NUS-WIDE.

    In 20,000 label sets, compared with the 209,347 tagged images of NUS-WIDE (in parentheses),
    there are 2.44 tags per image (2.41), at most 13 (13), and 35% of the images have only one tag
    (38%). The share of a frequent tag is within a tenth of the real one. Pairs along the tree have
    the right share within a few percent (sky and clouds 21.8% of the images, real 21.7%); pairs
    that are related through a third tag are too rare by up to a half (ocean and clouds 1.8%, real
    3.3%).

    As in the real data, a picture may show more than its tags say: a police officer is painted
    whether or not the image is also tagged `person`.

    Args:
        seed: seed of all random choices, at least 0.
        size: side of the square pictures in pixels, 16 to 256.
        train: number of training pictures.
        validation: number of validation pictures; with 0 there is no such split, and `convert`
            takes a share of the training pictures.
        test: number of test pictures.

    Attributes:
        tag_names: the 81 tags, alphabetical.
        splits: items of each split, to pass to `load`.

    Raises:
        InputError: a setting is out of its range.

    Example:
        >>> scenes = Scenes(size=64, train=10, test=2)
        >>> record = scenes.load(scenes.splits["train"][0])
        >>> [scenes.tag_names[tag] for tag in record.tag_ids]
        ['clouds', 'sky', 'sun', 'sunset']
    """

    def __init__(
        self,
        seed: int = 0,
        size: int = 64,
        train: int = 5400,
        validation: int = 600,
        test: int = 1500,
    ) -> None:
        if not MIN_SIZE <= size <= MAX_SIZE:
            raise InputError(
                f"size must be from {MIN_SIZE} to {MAX_SIZE} pixels for scenes, received {size}"
            )
        if seed < 0:
            raise InputError(f"seed must be at least 0, received {seed}")
        counts = {"train": train, "validation": validation, "test": test}
        for split, count in counts.items():
            if count < 0:
                raise InputError(f"{split} must be at least 0 pictures, received {count}")
        self.seed = seed
        self.size = size
        self._statistics = TagStatistics()
        self.tag_names = self._statistics.tag_names
        self._split_numbers = {split: number for number, split in enumerate(counts)}
        self.splits: dict[str, list[Item]] = {
            split: [(split, index) for index in range(count)]
            for split, count in counts.items()
            if count > 0
        }

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the data, apart from the versions of NumPy and OpenCV."""
        counts = {split: len(items) for split, items in self.splits.items()}
        return {"seed": self.seed, "size": self.size, "version": VERSION, **counts}

    def picture(self, item: Item) -> tuple[tuple[int, ...], np.ndarray]:
        """Tag ids and the RGB picture, uint8 (size, size, 3), before compression."""
        split, index = item
        rng = np.random.default_rng([self.seed, self._split_numbers[split], index])
        tag_ids = self._statistics.sample(rng)
        tags = {self.tag_names[tag] for tag in tag_ids}
        return tag_ids, render(tags, self.size, rng)

    def load(self, item: Item) -> Record:
        """The record of one item, as JPEG with quality 92."""
        split, index = item
        tag_ids, picture = self.picture(item)
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
        return Record(
            encoded=encoded.tobytes(),
            filename=f"{split}/{index:06d}.jpg",
            height=self.size,
            width=self.size,
            tag_ids=tag_ids,
        )
