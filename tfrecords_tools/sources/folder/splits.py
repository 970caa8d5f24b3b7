"""Which images are for training and which for testing."""

from __future__ import annotations

from collections.abc import Sequence

from tfrecords_tools.by_name import choose_by_name
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.folder.labels import SPLITS, ImageLabels


def split_images(
    images: Sequence[ImageLabels], test_share: float
) -> tuple[str, dict[str, list[ImageLabels]]]:
    """Divides images into `train`, `test` and, where one is named, `validation`.

    Decided by the labels' own split; or else by the folders `train`, `validation` (or `val`) and
    `test` at the top, if there is `train` and one of the others; or else by a hash of the file
    name, which is like chance, but adding images moves none of those that were there.

    Args:
        images: the images, at least two.
        test_share: the share of test images where the names decide, between 0 and 1.

    Returns:
        What decided, "column", "folders" or "file names"; and the images of each split that has
        any.

    Raises:
        InputError: an image is outside of the folders that divide the others.
    """
    if images[0].split is not None:
        decided, names = "column", [image.split or "" for image in images]
    else:
        folders = [SPLITS.get(image.filename.partition("/")[0].lower()) for image in images]
        if "train" in folders and {"validation", "test"} & set(folders):
            decided, names = "folders", _by_folder(images, folders)
        else:
            chosen = choose_by_name([image.filename for image in images], test_share)
            decided, names = "file names", ["test" if test else "train" for test in chosen]
    splits: dict[str, list[ImageLabels]] = {"train": [], "validation": [], "test": []}
    for image, name in zip(images, names, strict=True):
        splits[name].append(image)
    return decided, {name: part for name, part in splits.items() if part}


def _by_folder(images: Sequence[ImageLabels], folders: Sequence[str | None]) -> list[str]:
    for image, folder in zip(images, folders, strict=True):
        if folder is None:
            raise InputError(
                f"{image.filename!r} is in none of the folders train, validation and test that "
                "divide the other images; move it there, or name the splits in a column split"
            )
    return [folder for folder in folders if folder is not None]
