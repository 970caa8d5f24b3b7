r"""The lists of images: `ImageList/*.txt`, one line `<category>\<NNNN_id>.jpg` per image.

An image is identified by this path. Its Flickr id is not enough: six ids occur twice, each in two
categories, and are images of their own.
"""

from __future__ import annotations

import os
from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.nuswide.reading import read_lines

ALL_IMAGES = "Imagelist.txt"
OFFICIAL_LISTS = {"train": "TrainImagelist.txt", "test": "TestImagelist.txt"}


def image_list_path(input_dir: str | os.PathLike[str], name: str) -> Path:
    """The path of a list of images."""
    return Path(input_dir) / "ImageList" / name


def read_image_list(path: Path) -> list[str]:
    """Reads a list of images, without blank lines.

    Returns:
        The images in the list's order, as `<category>/<file>`.

    Raises:
        InputError: the file is missing, or a line is malformed or repeats an image.

    Example:
        >>> read_image_list(Path("NUS-WIDE/ImageList/TestImagelist.txt"))[0]
        'actor/0024_24.jpg'
    """
    lines: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), 1):
        name = line.replace("\\", "/")
        if not name:
            continue
        parts = name.split("/")
        if len(parts) != 2 or not all(parts) or ".." in parts:
            raise InputError(
                f"{path}, line {number}: expected <category>\\<file>, found {line[:80]!r}"
            )
        if name in lines:
            raise InputError(
                f"{path}, lines {lines[name]} and {number} are both {name}; expected every image "
                "once; unpack the release's file again"
            )
        lines[name] = number
    return list(lines)


def read_official_lists(input_dir: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Reads the release's lists of training and test images; raises InputError."""
    paths = {split: image_list_path(input_dir, name) for split, name in OFFICIAL_LISTS.items()}
    lists = {split: read_image_list(path) for split, path in paths.items()}
    if common := set(lists["train"]) & set(lists["test"]):
        raise InputError(
            f"{min(common)} is in both {paths['test']} and {paths['train'].name}; expected every "
            "image in one of them; unpack the release's files again"
        )
    return lists
