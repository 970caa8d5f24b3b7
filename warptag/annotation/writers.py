"""Where annotations go: standard output, one file that a stopped run goes on with, text files."""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_bytes, write_whole
from warptag.annotation.output import Format, Tag

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

    def close(self) -> None:
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
        self.asked: set[str] = set()
        if output.is_symlink() or (output.exists() and not output.is_file()):
            raise InputError(f"{output} is no plain file; choose another --output")
        with _write_errors(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.journal.open("ab")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise InputError(f"another command is writing {output}; wait for its end") from error
        with _write_errors(output):
            num_whole_bytes = 0
            for end, path, _ in self._entries():
                self.done.add(path)
                num_whole_bytes = end
            # A line cut off by a kill or a full disk would spoil the next one.
            self.file.truncate(num_whole_bytes)
            if not self.done:
                self._append(self.settings)
        self.num_resumed = self.num_entries = len(self.done)

    def is_done(self, path: Path) -> bool:
        self.asked.add(str(path))
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
        self.file.close()

    def _append(self, line: str) -> None:
        with _write_errors(self.output):
            self.file.write(line.encode() + b"\n")
            self.file.flush()

    def _write_texts(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", errors=ENCODING_ERRORS, newline="") as file:
            file.write(self.form.heading)
            found = 0
            for _, name, text in self._entries():
                found += 1
                # The journal may be of a command that was stopped over other photographs.
                if name in self.asked:
                    file.write(text)
        if found != self.num_entries:
            raise InputError(
                f"{self.journal}, which holds what is done so far, was removed or changed; give "
                "the same command again"
            )

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
        others = beside != path and beside not in self.written
        done = not self.overwrite and others and beside.exists()
        self.num_kept += done
        return done

    def write(self, path: Path, tags: list[Tag]) -> InputError | None:
        """Returns why this photograph gets no text file, if so."""
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

    def finish(self) -> None:
        pass

    def close(self) -> None:
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
