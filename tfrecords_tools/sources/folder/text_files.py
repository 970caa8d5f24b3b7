"""Tags in a text file beside each image: `cat.jpg` and `cat.txt`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tfrecords_tools.sources.file_names import FileNames
from tfrecords_tools.sources.folder.labels import ImageLabels, read_text
from tfrecords_tools.sources.tags import tags_in_text


def read_text_files(
    directory: Path, images: Iterable[str], texts: Iterable[str]
) -> list[ImageLabels]:
    """Reads the text file of every image that has one.

    Tags are separated by line ends, `;` or `,`. An empty file means no tags.

    Args:
        directory: the folder.
        images: the names of the images, relative to it.
        texts: the names of the text files, ending with `.txt`.

    Raises:
        InputError: a file is not UTF-8.
    """
    by_stem = {text[: -len(".txt")]: text for text in texts}
    stems = FileNames(by_stem)
    labelled = []
    for image in images:
        stem = stems.find(image.rpartition(".")[0])
        if stem is not None:
            path = directory / by_stem[stem]
            tags = tags_in_text(read_text(path))
            labelled.append(ImageLabels(image, tags, (), None, str(path)))
    return labelled
