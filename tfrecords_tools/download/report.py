"""What became of each image: `download_report.csv` in the folder of images.

While a download runs, each image is a line in `download_journal.csv`, which outlives a kill; at
the end, and when the next download begins, the journal's lines go into the report.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole

REPORT_FILE = "download_report.csv"
JOURNAL_FILE = "download_journal.csv"
FOUND, GONE, BROKEN = STATUSES = ("found", "gone", "broken")


class Entry(NamedTuple):
    """A line of the report.

    `status` is `found`, `gone` (not to be had any more in any size) or `broken` (to be tried
    again); `url` is where a found image came from; `detail` says why it is not found, or why not
    in the preferred size; `sha256` is the digest of a found image, or of the placeholder that came
    in its place.
    """

    filename: str
    status: str
    url: str = ""
    detail: str = ""
    sha256: str = ""


class DownloadReport:
    """The entries of a folder of images, kept on disk.

    Args:
        directory: the folder, which exists.
        present: the names, `<category>/<file>`, of the files that are in it. Entries of found
            images whose files are not there any more are dropped.

    Attributes:
        entries: the entries by file name.

    Raises:
        InputError: there is a file `download_report.csv` that is not a report.
        OSError: the folder cannot be written.
    """

    def __init__(self, directory: Path, present: set[str]) -> None:
        self.path = directory / REPORT_FILE
        self._journal_path = directory / JOURNAL_FILE
        self.entries: dict[str, Entry] = {}
        # The journal is read last: its lines are newer.
        for path in (self.path, self._journal_path):
            for entry in _read(path):
                self.entries[entry.filename] = entry
        self.entries = {
            name: entry
            for name, entry in self.entries.items()
            if entry.status != FOUND or name in present
        }
        if self._journal_path.exists():
            self._write()
        self._journal = open(self._journal_path, "w", encoding="utf-8", newline="")  # noqa: SIM115

    def add(self, entry: Entry) -> None:
        """Adds an entry, or replaces that of the same image, at once on disk too."""
        csv.writer(self._journal).writerow(entry)
        # In the system's hands, and so safe from a kill of this process.
        self._journal.flush()
        self.entries[entry.filename] = entry

    def close(self) -> None:
        """Writes the report, whole or not at all; where that fails the journal stays."""
        try:
            self._journal.close()
        finally:
            self._write()
        self._journal_path.unlink(missing_ok=True)

    def count(self, status: str) -> int:
        """The number of images of a status."""
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


def _read(path: Path) -> Iterator[Entry]:
    try:
        file = open(path, encoding="utf-8", errors="replace", newline="")  # noqa: SIM115
    except FileNotFoundError:
        return
    with file:
        rows = csv.reader(file)
        if path.name == REPORT_FILE and next(rows, None) != list(Entry._fields):
            raise InputError(
                f"{path} is not a report of this program; expected a first line "
                f"{','.join(Entry._fields)}; rename the file"
            )
        # A kill may have cut the journal's last line off.
        yield from (
            Entry(*row) for row in rows if len(row) == len(Entry._fields) and row[1] in STATUSES
        )
