"""Flickr's "photo unavailable" picture, which is sent in place of a deleted photograph.

Its status is 200. Usually a redirect leads to it, and its URL identifies it. If its bytes come
under the photograph's own URL, many photographs have the same ones.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlsplit

# Two ids may have the same bytes, if somebody posted a photograph twice; from three on they are
# a placeholder.
NUM_IDENTICAL = 3


def is_placeholder_url(url: str) -> bool:
    """Whether the URL is that of a "photo unavailable" picture, of any language, size or format."""
    return "photo_unavailable" in urlsplit(url).path.lower()


def photo_id(filename: str) -> str:
    """Flickr's id of a photograph: `174174086` for `actor/0002_174174086.jpg`."""
    return PurePosixPath(filename).stem.rpartition("_")[2]


class Placeholders:
    """Recognizes placeholders by the same bytes under different photo ids.

    Attributes:
        known: the SHA-256 digests of the placeholders. Only one thread may call `add`; others may
            read this set at the same time.

    Example:
        >>> placeholders = Placeholders()
        >>> [placeholders.add("e3b0...", f"sky/000{i}_{i}.jpg") for i in range(3)]
        [[], [], ['sky/0000_0.jpg', 'sky/0001_1.jpg', 'sky/0002_2.jpg']]
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self._filenames: dict[str, tuple[str, ...]] = {}

    def add(self, sha256: str, filename: str) -> list[str]:
        """Adds an image; returns the images, with this one, that it reveals as placeholders."""
        if sha256 in self.known:
            return [filename]
        # A file in two categories is one photograph.
        names = (*self._filenames.get(sha256, ()), filename)
        if len(set(map(photo_id, names))) < NUM_IDENTICAL:
            self._filenames[sha256] = names
            return []
        self.known.add(sha256)
        self._filenames.pop(sha256, None)
        return list(names)
