"""NUS-WIDE's images with their labels, for `convert`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.file_names import FileNames
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.sources.nuswide.splits import load_splits


class NUSWide(ImageFiles):
    """Reads NUS-WIDE's folder; missing images are left out and counted.

    The images of a split are in random order, since the release's lists are sorted by category.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth`, `ImageList` and `Flickr`.
        size: side of the square that images are resized to, in pixels; None keeps their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.
        split: `"paper"`, 150,000 training and 59,347 test images at random, or `"official"`,
            the release's own, 125,449 and 83,898; `convert` takes the validation images from the
            training images.
        seed: seed of the random split and order.

    Attributes:
        missing: for each split the number of images that are not in the folder.
        notes: what the user should know, one line each.

    Raises:
        InputError: a file is missing, malformed or of another length than the others, the folder
            holds the users' noisy tags instead of the ground truth, or no image exists.

    Example:
        >>> source = NUSWide("NUS-WIDE", split="official")
        >>> source.splits["train"][0].filename
        'zoos/0001_1.jpg'
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        size: int | None = 256,
        shorter_side: bool = False,
        split: str = "paper",
        seed: int = 0,
    ) -> None:
        tag_names, labelled = load_splits(input_dir, split, seed)
        images = Path(input_dir) / "Flickr"
        present = _list_images(images)
        splits: dict[str, list[LabelledImage]] = {}
        self.missing: dict[str, int] = {}
        for name, part in labelled.items():
            splits[name] = [
                LabelledImage(found, tuple(np.flatnonzero(row).tolist()))
                for filename, row in zip(part.filenames, part.labels, strict=True)
                if (found := present.find(filename)) is not None
            ]
            self.missing[name] = len(part.filenames) - len(splits[name])
            if not splits[name]:
                raise InputError(
                    f"{images} holds none of the {len(part.filenames):,} images of the {name} "
                    f"split; expected for example {images / part.filenames[0]}"
                )
        self.notes = [
            f"{name}: {count:,} images are not in the input folder, left out"
            for name, count in self.missing.items()
            if count
        ]
        settings = {"split": split, "seed": seed, "missing": self.missing}
        super().__init__(images, tag_names, splits, size, shorter_side, settings)


def _list_images(folder: Path) -> FileNames:
    """The existing images: listing is much faster than testing 200,000 files."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is missing; expected the images as Flickr/<category>/<file>.jpg"
        )
    return FileNames(
        f"{category.name}/{file}"
        for category in folder.iterdir()
        if category.is_dir()
        for file in os.listdir(category)
    )
