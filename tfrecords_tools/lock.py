"""One process at a time writes into a folder."""

from __future__ import annotations

import fcntl
import inspect
import json
import logging
import os
import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tfrecords_tools.errors import InputError

LOCK_FILE = ".writing.lock"
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
logger = logging.getLogger(__name__)

#: The lock files that this process holds: path -> descriptor and thread.
_held: dict[Path, tuple[int, int]] = {}


class InUse(InputError):
    """Another process writes to a folder or file.

    Attributes:
        path: the folder or file.
        process: who writes there: `pid`, `host` and `command`; empty if unknown.
    """

    def __init__(self, path: Path, process: dict[str, Any]) -> None:
        who = "another process"
        if process:
            who = "process {pid} on {host} ({command})".format(**process)
        super().__init__(
            f"{path} is in use: {who} writes there; wait until it ends, stop it, or choose another "
            "folder"
        )
        self.path, self.process = path, process


@contextmanager
def exclusive(
    target: str | os.PathLike[str], lock_file: str | os.PathLike[str] | None = None
) -> Iterator[None]:
    """Lets one process at a time write to a folder or file.

    The lock ends with the block or with the process, however that ends. If the lock file cannot be
    made, or the file system has no locks, the block runs without a lock.

    Args:
        target: the folder or file, for messages. The folder is made if it does not exist.
        lock_file: the file to lock; None for `.writing.lock` in the folder. It is removed at the
            end.

    Raises:
        InUse: the lock is held, by another process or by this one.

    Example:
        >>> with exclusive("records"):
        ...     _ = Path("records/tags.txt").write_text("sky")
    """
    path = _absolute(Path(target, LOCK_FILE) if lock_file is None else Path(lock_file))
    is_new = not path.parent.exists()
    descriptor = _acquire(Path(target), path)
    if descriptor is None:
        yield
        return
    _held[path] = descriptor, threading.get_ident()
    try:
        yield
    finally:
        # A forked child has forgotten the lock.
        if _held.pop(path, None) is not None:
            with suppress(OSError):
                if _is_at(descriptor, path):
                    path.unlink()
                if is_new:
                    # If nothing was written to it.
                    path.parent.rmdir()
            os.close(descriptor)


def one_at_a_time(
    parameter: str,
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorates a function that writes to the folder in one of its parameters: it is `exclusive`.

    Args:
        parameter: the name of the parameter.

    Example:
        >>> @one_at_a_time("output")
        ... def write(output):
        ...     (output / "tags.txt").write_text("sky")
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(function)

        @wraps(function)
        def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            folder = signature.bind(*args, **kwargs).arguments[parameter]
            _, thread = _held.get(_absolute(Path(folder, LOCK_FILE)), (None, None))
            # Called by another such function.
            if thread == threading.get_ident():
                return function(*args, **kwargs)
            with exclusive(folder):
                return function(*args, **kwargs)

        return wrapped

    return decorate


def _absolute(path: Path) -> Path:
    """The same path from any working directory and through any link to its folder."""
    return Path(os.path.realpath(path.parent), path.name)


def _acquire(target: Path, path: Path) -> int | None:
    """The descriptor of the locked file; None if there can be no lock."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = _open(path)
        except OSError:
            # Whoever writes there next reports it in its own words.
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process before may have removed the file while this one opened it.
            if _is_at(descriptor, path):
                _introduce(descriptor)
                return descriptor
            os.close(descriptor)
        except BlockingIOError:
            process = _read(descriptor)
            os.close(descriptor)
            raise InUse(target, process) from None
        except OSError as error:
            _log_once(f"no locks in {path.parent} ({error.strerror})")
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
            return None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:
        # Another user's file can still be locked.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _introduce(descriptor: int) -> None:
    """Writes for other processes who holds the lock."""
    program = Path(sys.argv[0])
    name = f"python -m {program.parent.name}" if program.stem == "__main__" else program.name
    command = " ".join([name, shlex.join(sys.argv[1:])]).strip()[:200]
    process = {"pid": os.getpid(), "host": socket.gethostname(), "command": command}
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(process).encode(), 0)


def _read(descriptor: int) -> dict[str, Any]:
    try:
        process = json.loads(os.pread(descriptor, 4096, 0))
        return {name: process[name] for name in ("pid", "host", "command")}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


@cache
def _log_once(text: str) -> None:
    logger.info(text)


def _forget() -> None:
    """In a forked child, which would keep the locks of a killed parent."""
    for descriptor, _ in _held.values():
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
