"""What sources of image files share: a folder, and the names and tags of the images in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import image_settings, load_image
from tfrecords_tools.schema import Record
from tfrecords_tools.sources.tags import distinct_tags


class LabelledImage(NamedTuple):
    """An image file and its tags.

    Attributes:
        filename: its name relative to the folder of images, with `/`.
        tag_ids: indices of its tags in the source's `tag_names`, ascending.
        unknown_ids: indices of the tags that it may or may not have, ascending.
    """

    filename: str
    tag_ids: tuple[int, ...]
    unknown_ids: tuple[int, ...] = ()


class ImageFiles:
    """Image files of one folder with their tags: a source, ready for `convert`.

    Args:
        folder: the folder that contains the images, in it or below it.
        tag_names: the names of the tags; a tag's id is its index. They are stored
            composed (NFC) and with single blanks.
        splits: the images of each split.
        size: side of the square that images are resized to, in pixels; None keeps their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.
        settings: further choices, for `dataset_info.json`; JSON values.

    Example:
        >>> images = [LabelledImage("cat.jpg", (0,)), LabelledImage("dog.jpg", (1,))]
        >>> source = ImageFiles("photos", ["cat", "dog"], {"train": images})
        >>> source.load(images[0]).tag_ids
        (0,)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        tag_names: Sequence[str],
        splits: Mapping[str, Sequence[LabelledImage]],
        size: int | None = 256,
        shorter_side: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if size is not None and size < 1:
            raise ValueError(f"size must be at least 1 pixel, received {size}")
        if size is None and shorter_side:
            raise ValueError("shorter_side needs a size, received None")
        self.tag_names = distinct_tags(
            (f"{folder}, tag {tag_id}", name) for tag_id, name in enumerate(tag_names)
        )
        self.splits = dict(splits)
        self.settings: dict[str, Any] = {**image_settings(size, shorter_side), **(settings or {})}
        self._folder = Path(folder)
        # The folder itself may be a link; its contents must not lead out of it.
        self._resolved = os.path.realpath(folder)
        self._inside: set[Path] = set()
        self._size, self._shorter_side = size, shorter_side

    def path(self, item: LabelledImage) -> Path:
        """The image's file; raises InputError if it is outside the folder."""
        name = PurePosixPath(item.filename)
        path = self._folder / name
        if name.is_absolute() or ".." in name.parts or "\0" in item.filename:
            raise InputError(f"{item.filename!r} is refused: it is a file outside {self._folder}")
        # Most files are not links, and their folders have been checked before.
        if path.parent not in self._inside or path.is_symlink():
            resolved = os.path.realpath(path)
            if os.path.commonpath([resolved, self._resolved]) != self._resolved:
                raise InputError(
                    f"{path} is refused: it is a link to {resolved}, outside the folder"
                )
            if not path.is_symlink():
                self._inside.add(path.parent)
        return path

    def load(self, item: LabelledImage) -> Record:
        """Reads one image; raises InputError if it is damaged or cannot be read."""
        try:
            item.filename.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{item.filename!r} is refused: its name is not UTF-8; rename the file"
            ) from None
        image = load_image(self.path(item), self._size, self._shorter_side)
        name, tag_ids, unknown_ids = item
        return Record(image.encoded, name, image.height, image.width, tag_ids, unknown_ids)
