"""The table `labels.csv`: tags as a list, or one column per tag."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tfrecords_tools.errors import InputError
from tfrecords_tools.sources.file_names import composed
from tfrecords_tools.sources.folder.labels import SPLITS, ImageLabels, read_text
from tfrecords_tools.sources.tags import tag_name, tag_names

FILENAME, SPLIT = "filename", "split"
LIST_COLUMNS = {"tags", "tag", "labels", "label"}
EXPECTED = (
    "expected the header filename,tags (tags separated by ;) or filename,cat,dog,... (a column "
    "per tag, 1 or 0)"
)
# Spreadsheet programs and pandas write 1.0 if a column has gaps, and True.
VALUES = {
    **dict.fromkeys(("1", "1.0", "true"), 1),
    **dict.fromkeys(("0", "0.0", "false", ""), 0),
    **dict.fromkeys(("-1", "-1.0"), -1),
}


def read_table(path: Path) -> tuple[list[str] | None, list[ImageLabels], list[str]]:
    """Reads a table of labels.

    With the header `filename,tags`, tags are separated by `;`; with any other there is one column
    per tag, with 1 (present), 0 or nothing (absent) or -1 (unknown). A column `split` (train,
    validation or test) is optional. Names are relative to the table's folder; folders are separated
    by `/` or `\\`. Of lines that say the same about one image the first is read.

    Args:
        path: the file, comma-separated, UTF-8.

    Returns:
        The tags in the order of their columns, or None for a list of tags; the labels of each
        image; and the image of each line that only repeats another one.

    Raises:
        InputError: the table is malformed, or two lines differ about an image; the message names
            the lines.
    """
    rows = _rows(path)
    header_line, header = next(rows, (1, [""]))
    names = _column_names(f"{path}, line {header_line}", header)
    tags = {column: name for column, name in enumerate(names) if name not in (FILENAME, SPLIT)}
    is_list = any(map(_is_list, tags.values()))

    images: dict[str, ImageLabels] = {}
    lines: dict[str, int] = {}
    repeated: list[str] = []
    for line, row in rows:
        where = f"{path}, line {line}"
        if len(row) != len(header):
            raise InputError(
                f"{where}: found {len(row)} columns, expected {len(header)} as in the header; "
                "separate tags by ;, and put a name with a comma in quotes"
            )
        name = row[names.index(FILENAME)].strip().replace("\\", "/")
        if not name:
            raise InputError(f"{where}: the file name is empty")
        name = composed(PurePosixPath(name).as_posix())
        split = None
        if SPLIT in names:
            text = row[names.index(SPLIT)]
            split = SPLITS.get(text.strip().lower())
            if split is None:
                raise InputError(f"{where}: found split {text!r}, expected train, validation, test")
        if is_list:
            (column,) = tags
            labels = ImageLabels(name, tag_names(row[column].split(";")), (), split, where)
        else:
            labels = ImageLabels(name, *_marked_tags(row, tags, where), split, where)
        if name not in images:
            images[name], lines[name] = labels, line
        elif _meaning(labels) == _meaning(images[name]):
            repeated.append(name)
        else:
            raise InputError(
                f"{where}: {name!r} is in line {lines[name]} with other labels; remove one of the "
                "two lines"
            )
    if not images:
        raise InputError(f"{path} has a header but no lines of images")
    return (None if is_list else list(tags.values())), list(images.values()), repeated


def _meaning(labels: ImageLabels) -> tuple[set[str], set[str], str | None]:
    return set(labels.tags), set(labels.unknown), labels.split


def _marked_tags(
    row: list[str], columns: dict[int, str], where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The present and the unknown tags."""
    marked: dict[int, list[str]] = {1: [], 0: [], -1: []}
    for column, name in columns.items():
        value = VALUES.get(row[column].strip().lower())
        if value is None:
            raise InputError(
                f"{where}: found {row[column]!r} in the column {name!r}, expected 1, 0, -1 "
                "(unknown) or nothing; the header of a list of tags is filename,tags"
            )
        marked[value].append(name)
    return tuple(marked[1]), tuple(marked[-1])


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its first line."""
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""), strict=True, skipinitialspace=True
    )
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{path}, line {line}: {error}; is a quote not closed, or not doubled?"
            ) from error
        if any(cell.strip() for cell in row):
            yield line, row


def _column_names(where: str, header: list[str]) -> list[str]:
    """The names of the columns, with `filename` and `split` in lower case."""
    names = [tag_name(name) for name in header]
    names = [name.lower() if name.lower() in (FILENAME, SPLIT) else name for name in names]
    found = ",".join(names)
    if FILENAME not in names:
        for separator, plural in ((";", "semicolons"), ("\t", "tabs")):
            if header[0].lower().startswith(f"{FILENAME}{separator}"):
                raise InputError(
                    f"{where}: the columns are separated by {plural}; save the table with commas, "
                    "and with ; between the tags of an image"
                )
        raise InputError(f"{where}: {EXPECTED}, found {found!r:.80}")
    for column, name in enumerate(names, 1):
        if not name:
            raise InputError(f"{where}: column {column} has no name; {EXPECTED}")
        if names.count(name) > 1:
            raise InputError(f"{where}: the column {name!r} occurs twice")
    tags = [name for name in names if name not in (FILENAME, SPLIT)]
    if not tags:
        raise InputError(f"{where}: no column of tags; {EXPECTED}, found {found!r}")
    if len(tags) > 1 and any(map(_is_list, tags)):
        raise InputError(
            f"{where}: besides a list of tags only filename and split are allowed, "
            f"found {found!r:.80}"
        )
    return names


def _is_list(name: str) -> bool:
    # `tag;tag` too: a header that shows the separator.
    return set(name.lower().split(";")) <= LIST_COLUMNS
