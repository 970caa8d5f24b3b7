"""Where annotations go: standard output, one file that a stopped run goes on with, text files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from warptag.annotation.output import Format, Tag
from warptag.files import write_bytes, write_whole

#: Bytes of a file name that are not UTF-8 come out as they were.
ENCODING_ERRORS = "surrogateescape"


class StandardOutput:
    """Written at once, photograph by photograph."""

    def __init__(self, form: Format) -> None:
        self.form, self.begun = form, False

    def is_done(self, path: Path) -> bool:
        return False

    def write(self, path: Path, tags: list[Tag]) -> None:
        text = self.form.text(path, tags)
        if not self.begun:
            text, self.begun = self.form.heading + text, True
        sys.stdout.buffer.write(text.encode("utf-8", ENCODING_ERRORS))
        sys.stdout.buffer.flush()

    def finish(self) -> None:
        pass


class OneFile:
    """A file that appears when it is whole; until then what is done stands in a journal beside it.

    Args:
        form: CSV or JSON lines.
        output: the file.
        settings: what decides the text; a journal of other settings is begun anew.
    """

    def __init__(self, form: Format, output: Path, settings: dict[str, Any]) -> None:
        self.form, self.output = form, output
        self.journal = output.with_name(f".{output.name}.partial")
        self.settings = json.dumps(settings, sort_keys=True)
        self.done: set[str] = set()
        with _write_errors(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            num_whole_bytes = 0
            for end, path, _ in self._entries():
                self.done.add(path)
                num_whole_bytes = end
            if self.done:
                # A line cut off by a kill or a full disk would spoil the next one.
                os.truncate(self.journal, num_whole_bytes)
            else:
                self.journal.write_bytes(self.settings.encode() + b"\n")
        self.num_resumed = len(self.done)

    def is_done(self, path: Path) -> bool:
        return str(path) in self.done

    def write(self, path: Path, tags: list[Tag]) -> None:
        line = json.dumps([str(path), self.form.text(path, tags)]).encode() + b"\n"
        with _write_errors(self.output), self.journal.open("ab") as journal:
            journal.write(line)

    def finish(self) -> None:
        with _write_errors(self.output):
            write_whole(self.output, self._write_texts)
            self.journal.unlink()

    def _write_texts(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", errors=ENCODING_ERRORS, newline="") as file:
            file.write(self.form.heading)
            for _, _, text in self._entries():
                file.write(text)

    def _entries(self) -> Iterator[tuple[int, str, str]]:
        """Where each whole entry ends in the journal, the photograph, and its text."""
        if not self.journal.exists():
            return
        with self.journal.open("rb") as file:
            first = file.readline()
            if first != self.settings.encode() + b"\n":
                return
            end = len(first)
            for line in file:
                end += len(line)
                try:
                    path, text = json.loads(line)
                except ValueError:
                    return
                if line.endswith(b"\n"):
                    yield end, path, text


class BesideEach:
    """photo.txt beside photo.jpg. A text file that is there already stays, unless told otherwise.

    Args:
        form: of the text files.
        overwrite: replace text files that are there.
    """

    def __init__(self, form: Format, overwrite: bool) -> None:
        self.form, self.overwrite = form, overwrite
        self.written: set[Path] = set()
        self.num_kept = 0

    def is_done(self, path: Path) -> bool:
        beside = path.with_suffix(".txt")
        done = not self.overwrite and beside not in self.written and beside.exists()
        self.num_kept += done
        return done

    def write(self, path: Path, tags: list[Tag]) -> InputError | None:
        """Returns why this photograph gets no text file, if so."""
        beside = path.with_suffix(".txt")
        if beside in self.written:
            return InputError(
                f"{path}: {beside} holds the tags of another photograph of this name; rename one"
            )
        with _write_errors(beside):
            write_bytes(beside, self.form.text(path, tags).encode())
        self.written.add(beside)
        return None

    def finish(self) -> None:
        pass


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); make room or choose another place, and "
            "give the same command again"
        ) from error
