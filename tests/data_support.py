"""Pictures whose pixels say which picture a crop is of and where it was cut out."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from tfrecords_tools.convert import convert
from tfrecords_tools.schema import Record

SIZE = 16


def coded_jpeg(index: int, height: int = SIZE, width: int = SIZE) -> bytes:
    """Red is ten times the column, green ten times the row, blue says which picture it is."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) * 10
    pixels[..., 1] = np.arange(height)[:, None] * 10
    pixels[..., 2] = index * 3 + 2
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


class Coded:
    """Picture i has the tag i % 2, and for every fifth the tag "unsure" is unknown."""

    tag_names = ["even", "odd", "unsure"]

    def __init__(
        self,
        train: int = 60,
        test: int = 10,
        unsure: bool = True,
        image: Callable[[int], bytes] = coded_jpeg,
        size: Callable[[int], tuple[int, int]] = lambda item: (SIZE, SIZE),
    ):
        items = list(range(train + test + 4))
        self.splits = {"train": items[:train], "test": items[train:-4], "validation": items[-4:]}
        self.unsure, self.image, self.size = unsure, image, size

    def load(self, item: int) -> Record:
        unknown = (2,) if self.unsure and item % 5 == 0 else ()
        return Record(self.image(item), f"{item}.jpeg", *self.size(item), (item % 2,), unknown)


def convert_coded(folder, **arguments):
    convert(Coded(**arguments), folder, name="coded", settings={}, workers=1)
    return folder


def picture_numbers(images) -> list[int]:
    return [round((float(image[..., 2].mean()) - 1) / 3) for image in np.asarray(images)]


def left_and_top(crop) -> tuple[int, int]:
    return round(int(crop[0, 0, 0]) / 10), round(int(crop[0, 0, 1]) / 10)


def joined(dataset):
    """The images and the labels of all batches, one array each."""
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def first_batches(records, count, *, crop_size=12, batch_size=8, seed=0, **arguments):
    """The images and the labels of the first training batches, one array each."""
    dataset = records.training(crop_size=crop_size, batch_size=batch_size, seed=seed, **arguments)
    return joined(dataset.take(count))


def assert_same(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)
