"""The source: splits of scenes, each a function of seed, split and number alone."""

from typing import Any

import cv2
import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.schema import Record
from tfrecords_tools.sources.scenes.render import render
from tfrecords_tools.sources.scenes.tag_statistics import TagStatistics

SMALLEST, LARGEST = 16, 256
JPEG_QUALITY = 92
#: Raise it with every change that paints other pictures from the same seed.
VERSION = 1

Item = tuple[str, int]


class Scenes:
    """Rendered scenes with the tags, the long tail and the co-occurrences of NUS-WIDE.

    Over 20,000 label sets against the 209,347 tagged images: 2.44 tags an image (real 2.41), at
    most 13 (13); 35 % have one tag only (38 %). A tag's share is within a tenth of the real one
    for the frequent tags. Pairs along the tree come out within a few percent (sky and clouds
    21.8 % of the images, real 21.7 %); pairs that hang together through a third tag are too
    rare by up to a half (ocean and clouds 1.8 %, real 3.3 %).

    As in the real data a tag may show more than its name says: a police officer is painted
    whether or not the image is also tagged `person`.

    Args:
        seed: everything is drawn from it, from 0 up.
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
        if not SMALLEST <= size <= LARGEST:
            raise InputError(
                f"scenes: size is {size}, but must be from {SMALLEST} to {LARGEST} pixels."
            )
        if seed < 0:
            raise InputError(f"scenes: seed is {seed}, but must be 0 or more.")
        counts = {"train": train, "validation": validation, "test": test}
        for split, count in counts.items():
            if count < 0:
                raise InputError(f"scenes: {split} is {count}, but must be 0 pictures or more.")
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
        """What determines the data, besides the versions of NumPy and OpenCV."""
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
        """The record of one item, as JPEG of quality 92."""
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
