"""A cache of files, named by a hash of everything that they were computed from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from tfrecords_tools.files import write_whole

Content = TypeVar("Content")


class ContentCache:
    """A folder of .npz files with content-dependent names.

    Args:
        folder: the folder, made if needed; None keeps nothing.
    """

    def __init__(self, folder: str | os.PathLike | None):
        self._folder = None if folder is None else Path(folder)

    def get(
        self,
        key: str,
        make: Callable[[], Content],
        save: Callable[[Content, Path], object],
        load: Callable[[BinaryIO], Content],
    ) -> Content:
        """The content under a key, or if there is none, the result of `make`, which is kept.

        A damaged file is replaced.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._folder is None:
            return make()
        path = self._folder / f"{key}.npz"
        try:
            # Opened here, since a reader that fails on a damaged file may leave it open.
            with path.open("rb") as file:
                return load(file)
        except Exception:  # no file, or a damaged one, for which readers have various exceptions
            pass
        content = make()
        try:
            with write_whole(path) as temporary:
                save(content, temporary)
        except OSError as error:
            raise OSError(
                f"{path} cannot be written ({error.strerror}); make room there, or choose "
                "another folder"
            ) from error
        return content


def content_key(*parts: str | Iterable[np.ndarray]) -> str:
    """A hash of strings and of the types, shapes and values of arrays, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            digest.update(f"{len(part)} {part}".encode())
            continue
        for array in part:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
