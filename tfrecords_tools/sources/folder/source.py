"""The source `folder`: the images and labels of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.file_names import FileNames
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.sources.folder.labels import ImageLabels, read_text
from tfrecords_tools.sources.folder.splits import split_images
from tfrecords_tools.sources.folder.table import read_table
from tfrecords_tools.sources.folder.text_files import read_text_files
from tfrecords_tools.sources.tags import different_in_case_only, tag_name

TABLE, VOCABULARY = "labels.csv", "tags.txt"
# The formats of photographs, out of all that Pillow opens, such as PDF, HDF5 and fonts.
PHOTOGRAPHS = {"JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM"}


class Folder(ImageFiles):
    """Reads a folder of photographs, in it and in folders below it, with their tags.

    The tags are in `labels.csv` (see `read_table`) or, without it, in a text file beside each
    image (see `read_text_files`). The tags and their order are the lines of `tags.txt`, if the
    file exists; otherwise the columns of the table, or the tags that occur, sorted.

    The splits are defined by the table, by folders, or by the file names (see `split_images`). If
    there are no validation images, `convert` takes a fifth of `train`. Images without tags are left
    out, since no ranking of tags can be learned from them.

    Args:
        input_dir: the folder.
        size: side of the square that images are resized to, in pixels; None keeps their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.
        test_share: the share of test images if neither table nor folders name splits, between 0
            and 1.
        keep_untagged: keep images without tags.

    Attributes:
        notes: what the user should know, one line each.

    Raises:
        InputError: there are no labels, they are malformed, a tag is not in `tags.txt`, or there
            are no images for training or testing.

    Example:
        >>> source = Folder("photos")
        >>> source.splits["test"][0]
        LabelledImage(filename='cat.jpg', tag_ids=(2,), unknown_ids=())
    """

    # More than for the large data sets, since a folder is often small.
    validation_share = 0.2

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        size: int | None = 256,
        shorter_side: bool = False,
        test_share: float = 0.1,
        keep_untagged: bool = False,
    ) -> None:
        if not 0 < test_share < 1:
            raise ValueError(f"test_share must be between 0 and 1, received {test_share}")
        directory = Path(input_dir)
        self.notes: list[str] = []
        columns, labelled = self._read_labels(directory)
        tag_ids = _tag_ids(directory / VOCABULARY, columns, labelled)
        self._note("tags that differ in case only", different_in_case_only(tag_ids))
        num_tagged = sum(bool(image.tags) for image in labelled)
        if not keep_untagged:
            untagged = [image.filename for image in labelled if not image.tags]
            self._note("images without tags, left out", untagged)
            labelled = [image for image in labelled if image.tags]
        if len(labelled) < 2 or not num_tagged:
            raise InputError(
                f"{directory}: found {num_tagged} images with tags, expected at least two"
            )
        decided, splits = split_images(labelled, test_share)
        for split in ("train", "test"):
            if split not in splits:
                raise InputError(
                    f"{directory}: no tagged image is in the split {split!r}; expected some for "
                    f"train and some for test (decided by the {decided})"
                )
        settings: dict[str, Any] = {"split": decided, "keep_untagged": keep_untagged}
        if decided == "file names":
            settings["test_share"] = test_share
        images = {
            split: [_labelled_image(image, tag_ids) for image in part]
            for split, part in splits.items()
        }
        super().__init__(directory, list(tag_ids), images, size, shorter_side, settings)

    def _read_labels(self, directory: Path) -> tuple[list[str] | None, list[ImageLabels]]:
        """The tags in the order of their columns, if there are any, and the labels."""
        files = _list_files(directory)
        extensions = {
            extension
            for extension, format_name in Image.registered_extensions().items()
            if format_name in PHOTOGRAPHS
        }
        images = [file for file in files if os.path.splitext(file)[1].lower() in extensions]
        table = directory / TABLE
        if table.exists():
            columns, labelled, repeated = read_table(table)
            self._note(f"lines of {TABLE} that repeat another one, left out", repeated)
            on_disk = FileNames(files)
            labelled = [
                image._replace(filename=on_disk.find(image.filename) or image.filename)
                for image in labelled
            ]
            self._note_missing(directory, labelled, set(files))
            without = f"images without a line in {TABLE}, left out"
        else:
            texts = [file for file in files if file.lower().endswith(".txt") and file != VOCABULARY]
            columns, labelled = None, read_text_files(directory, images, texts)
            if not labelled:
                raise InputError(
                    f"{directory} holds {len(images)} images but no labels; expected {TABLE} with "
                    "the header filename,tags, or a text file with the tags beside each image "
                    "(cat.jpg, cat.txt)"
                )
            read = {image.where for image in labelled}
            unread = [text for text in texts if str(directory / text) not in read]
            # Such as those of photographs in a format that Pillow does not know.
            self._note("text files without an image in a known format, left out", unread)
            without = "images without a text file, left out"
        names = {image.filename for image in labelled}
        self._note(without, [image for image in images if image not in names])
        return columns, labelled

    def _note_missing(
        self, directory: Path, labelled: Sequence[ImageLabels], files: set[str]
    ) -> None:
        missing = [
            image.filename
            for image in labelled
            # A file system that ignores case finds more names than it lists.
            if image.filename not in files and not os.path.isfile(directory / image.filename)
        ]
        if len(missing) == len(labelled):
            raise InputError(
                f"{directory / TABLE}: none of its {len(labelled)} images exists, for example "
                f"{missing[0]!r}; expected file names relative to {directory}, with extensions"
            )
        self._note(f"images in {TABLE} that do not exist", missing)

    def _note(self, what: str, names: Sequence[str]) -> None:
        if names:
            # `repr`, since a name on the disk may be unprintable.
            shown = ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
            self.notes.append(f"{what}: {len(names):,} ({shown})")


def _list_files(directory: Path) -> list[str]:
    """All files in and below a folder, relative to it, sorted; none hidden or in linked folders."""
    if not directory.is_dir():
        raise InputError(f"{directory} is not a folder; expected a folder of photographs")

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error

    names = []
    for folder, folders, files in os.walk(directory, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        parent = Path(folder).relative_to(directory)
        names += [(parent / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(names)


def _tag_ids(
    vocabulary: Path, columns: Iterable[str] | None, labelled: Sequence[ImageLabels]
) -> dict[str, int]:
    """The tags and their ids, in the order of the ids."""
    if not vocabulary.is_file():
        occurring = {tag for image in labelled for tag in image.tags}
        names = sorted(occurring) if columns is None else columns
        return {name: tag_id for tag_id, name in enumerate(names)}
    lines: dict[str, int] = {}
    for line, text in enumerate(read_text(vocabulary).splitlines(), 1):
        name = tag_name(text)
        if name in lines:
            raise InputError(f"{vocabulary}, line {line}: {name!r} is in line {lines[name]} too")
        if name:
            lines[name] = line
    for image in labelled:
        for tag in (*image.tags, *image.unknown):
            if tag not in lines:
                raise InputError(
                    f"{image.where}: the tag {tag!r} is not in {vocabulary}; add it there or "
                    "correct it here"
                )
    return {name: tag_id for tag_id, name in enumerate(lines)}


def _labelled_image(image: ImageLabels, tag_ids: dict[str, int]) -> LabelledImage:
    present, unknown = (
        tuple(sorted(tag_ids[tag] for tag in tags)) for tags in (image.tags, image.unknown)
    )
    return LabelledImage(image.filename, present, unknown)
