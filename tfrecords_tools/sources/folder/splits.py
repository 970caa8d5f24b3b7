"""Which images are for training, validation and testing."""

from __future__ import annotations

from collections.abc import Sequence

from tfrecords_tools.by_name import choose_by_name
from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.folder.labels import SPLITS, ImageLabels


def split_images(
    images: Sequence[ImageLabels], test_share: float
) -> tuple[str, dict[str, list[ImageLabels]]]:
    """Divides images into `train`, `test` and, if it is named, `validation`.

    The split of the labels decides; without it the top folders `train`, `validation` (or `val`)
    and `test`, if there is `train` and another one; otherwise a hash of the file name.

    Args:
        images: the images, at least two.
        test_share: the share of test images if the file names decide, between 0 and 1.

    Returns:
        What decided, "column", "folders" or "file names", and the images of each split that is not
        empty.

    Raises:
        InputError: an image is outside the folders that divide the others.
    """
    folders = [SPLITS.get(image.filename.partition("/")[0].lower()) for image in images]
    if images[0].split is not None:
        decided, names = "column", [image.split for image in images]
    elif "train" in folders and {"validation", "test"} & set(folders):
        decided, names = "folders", folders
    else:
        chosen = choose_by_name([image.filename for image in images], test_share)
        decided, names = "file names", ["test" if test else "train" for test in chosen]
    splits: dict[str, list[ImageLabels]] = {"train": [], "validation": [], "test": []}
    for image, name in zip(images, names, strict=True):
        if name is None:
            raise InputError(
                f"{image.filename!r} is outside the folders train, validation and test that divide "
                "the other images; move it there, or name the splits in a column split"
            )
        splits[name].append(image)
    return decided, {name: part for name, part in splits.items() if part}
