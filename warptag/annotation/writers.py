"""Where annotations go: standard output, one file that can be resumed, or many text files."""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_bytes, write_whole
from tfrecords_tools.lock import exclusive
from tfrecords_tools.typed_json import as_type
from warptag.annotation.output import Format, Tag

#: Bytes of a file name that are not UTF-8 are written unchanged.
ENCODING_ERRORS = "surrogateescape"


class Writer(ABC):
    """Writes the tags of one photograph after the other.

    Attributes:
        num_resumed: the number of photographs whose tags an interrupted command wrote.
        num_kept: the number of existing text files that were not replaced.
    """

    num_resumed = 0
    num_kept = 0

    def __init__(self, form: Format) -> None:
        self.form = form

    def is_done(self, path: Path) -> bool:
        """Whether the photograph has its tags already."""
        return False

    @abstractmethod
    def write(self, path: Path, tags: list[Tag]) -> InputError | None:
        """Writes the tags of a photograph; returns why it gets none, if so."""

    def finish(self) -> None:  # noqa: B027
        """Called after the last photograph."""

    def close(self) -> None:  # noqa: B027
        """Called at the end, also after an error."""


class StandardOutput(Writer):
    """Writes each photograph to standard output at once."""

    heading_written = False

    def write(self, path: Path, tags: list[Tag]) -> None:
        text = self.form.text(path, tags)
        if not self.heading_written:
            text, self.heading_written = self.form.heading + text, True
        sys.stdout.buffer.write(text.encode("utf-8", ENCODING_ERRORS))
        sys.stdout.buffer.flush()


class OneFile(Writer):
    """Writes a file that appears when it is complete; until then a journal beside it is kept.

    Args:
        form: CSV or JSON lines.
        output: the file.
        settings: everything that decides the text; a journal with other settings is discarded.

    Raises:
        InUse: another process writes the file.
        InputError: the file cannot be written.
    """

    def __init__(self, form: Format, output: Path, settings: dict[str, Any]) -> None:
        super().__init__(form)
        self.output = output
        self.journal = output.with_name(f".{output.name}.partial")
        self.settings = json.dumps(settings, sort_keys=True)
        self.done: set[str] = set()
        self.requested: set[str] = set()
        if output.is_symlink() or (output.exists() and not output.is_file()):
            raise InputError(f"{output} is not a regular file")
        with ExitStack() as stack:
            stack.enter_context(exclusive(output, output.with_name(f".{output.name}.lock")))
            with _write_errors(output):
                output.parent.mkdir(parents=True, exist_ok=True)
                self.file = stack.enter_context(self.journal.open("ab"))
                num_whole_bytes = 0
                for end, path, _ in self._entries():
                    self.done.add(path)
                    num_whole_bytes = end
                # A line cut off by a kill or a full disk would damage the next one.
                self.file.truncate(num_whole_bytes)
                if not self.done:
                    self._append(self.settings)
            self._opened = stack.pop_all()
        self.num_resumed = self.num_entries = len(self.done)

    def is_done(self, path: Path) -> bool:
        self.requested.add(str(path))
        return str(path) in self.done

    def write(self, path: Path, tags: list[Tag]) -> None:
        self._append(json.dumps([str(path), self.form.text(path, tags)]))
        self.num_entries += 1

    def finish(self) -> None:
        with _write_errors(self.output):
            with write_whole(self.output) as temporary:
                self._write_texts(temporary)
            self.journal.unlink()

    def close(self) -> None:
        self._opened.close()

    def _append(self, line: str) -> None:
        with _write_errors(self.output):
            self.file.write(line.encode() + b"\n")
            self.file.flush()

    def _write_texts(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", errors=ENCODING_ERRORS, newline="") as file:
            file.write(self.form.heading)
            num_found = 0
            for _, name, text in self._entries():
                num_found += 1
                # An interrupted command may have had other photographs.
                if name in self.requested:
                    file.write(text)
        if num_found != self.num_entries:
            raise InputError(
                f"{self.journal}, the journal of {self.output}, was removed or changed; run the "
                "same command again"
            )

    def _entries(self) -> Iterator[tuple[int, str, str]]:
        """The end of each complete entry in the journal, the photograph, and its text."""
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
                    path, text = as_type(json.loads(line), tuple[str, str])
                    text.encode("utf-8", ENCODING_ERRORS)
                except (ValueError, RecursionError):
                    return
                if line.endswith(b"\n"):
                    yield end, path, text


class BesideEach(Writer):
    """Writes photo.txt beside photo.jpg.

    Args:
        form: the format of the text files.
        overwrite: whether to replace existing text files.
    """

    def __init__(self, form: Format, overwrite: bool) -> None:
        super().__init__(form)
        self.overwrite = overwrite
        self.written: set[Path] = set()

    def is_done(self, path: Path) -> bool:
        if not os.path.isfile(path):
            return False  # a missing file or a folder, which is reported when it is read
        beside = path.with_suffix(".txt")
        others = beside != path and beside not in self.written
        done = not self.overwrite and others and beside.exists()
        self.num_kept += done
        return done

    def write(self, path: Path, tags: list[Tag]) -> InputError | None:
        beside = path.with_suffix(".txt")
        if beside == path:
            return InputError(f"{path} would be replaced by its own tags; rename it")
        if beside in self.written:
            return InputError(
                f"{path}: {beside} holds the tags of another photograph of this name; rename one"
            )
        with _write_errors(beside):
            write_bytes(beside, self.form.text(path, tags).encode())
        self.written.add(beside)
        return None


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from error
