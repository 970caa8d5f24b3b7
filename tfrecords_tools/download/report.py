"""The result for each image: `download_report.csv` in the folder of images.

During a download each image appends a line, so that a kill loses nothing. When a download begins
and ends the file is written again, with one line per image, in the order of their names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole

REPORT_FILE = "download_report.csv"
FOUND, GONE, BROKEN = STATUSES = ("found", "gone", "broken")


class Entry(NamedTuple):
    """A line of the report.

    Attributes:
        filename: the image, `<category>/<file>`.
        status: `found`, `gone` (no longer available in any size) or `broken` (to be retried).
        url: the source of a found image.
        detail: why the image was not found, or not in the preferred size.
        sha256: the digest of a found image, or of the placeholder in its place.
    """

    filename: str
    status: str
    url: str = ""
    detail: str = ""
    sha256: str = ""


class DownloadReport:
    """The entries of a folder of images, kept on disk.

    Args:
        directory: the existing folder.
        present: the names, `<category>/<file>`, of the files in it. Entries of found images whose
            files no longer exist are dropped.

    Attributes:
        entries: the entries by file name.

    Raises:
        InputError: the existing file `download_report.csv` is not a report.
        OSError: the folder cannot be written.
    """

    def __init__(self, directory: Path, present: set[str]) -> None:
        self.path = directory / REPORT_FILE
        self.entries = {
            entry.filename: entry
            for entry in self._read()
            if entry.status != FOUND or entry.filename in present
        }
        self._write()
        self._file = open(self.path, "a", encoding="utf-8", newline="")  # noqa: SIM115

    def add(self, entry: Entry) -> None:
        """Adds an entry, or replaces that of the same image, immediately on disk too."""
        csv.writer(self._file, lineterminator="\n").writerow(entry)
        # With the operating system, and so safe from a kill of this process.
        self._file.flush()
        self.entries[entry.filename] = entry

    def close(self) -> None:
        """Writes the report in order, whole or not at all."""
        try:
            self._file.close()
        finally:
            self._write()

    def count(self, status: str) -> int:
        """The number of images with a status."""
        return sum(entry.status == status for entry in self.entries.values())

    def __str__(self) -> str:
        parts = ", ".join(f"{self.count(status):,} {status}" for status in STATUSES)
        return f"{len(self.entries):,} images: {parts}; see {self.path}"

    def _write(self) -> None:
        with (
            write_whole(self.path) as temporary,
            open(temporary, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Entry._fields)
            writer.writerows(entry for _, entry in sorted(self.entries.items()))

    def _read(self) -> Iterator[Entry]:
        """The entries in the file; of an image the last one is the newest."""
        try:
            file = open(self.path, encoding="utf-8", errors="replace", newline="")  # noqa: SIM115
        except FileNotFoundError:
            return
        with file:
            rows = csv.reader(file)
            try:
                if next(rows, None) != list(Entry._fields):
                    raise csv.Error
                for row in rows:
                    # A kill may have cut off the last line.
                    if len(row) == len(Entry._fields) and row[1] in STATUSES:
                        yield Entry(*row)
            except csv.Error:  # also for a field that is too long
                raise InputError(
                    f"{self.path} is not a report of this program; expected a first line "
                    f"{','.join(Entry._fields)}; rename the file"
                ) from None
