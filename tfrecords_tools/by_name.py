"""Choosing images by a hash of their names: like chance, but always the same for a name."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence


def choose_by_name(names: Sequence[str], share: float, salt: str = "") -> list[bool]:
    """Chooses about a share of the images.

    Whether an image is chosen follows from its own name, so the order of the images does not
    matter, and adding images moves none of the others. The exception is a handful of images: at
    least one is chosen, and of two or more, at least one is not.

    Args:
        names: the names of the images, different from each other.
        share: the share to choose, between 0 and 1.
        salt: a text of the choice's own, so that it is independent of other choices.

    Returns:
        For each image whether it is chosen.
    """
    positions = [_position(salt, name) for name in names]
    first, last = min(positions), max(positions)
    return [position == first or (position < share and position != last) for position in positions]


def _position(salt: str, name: str) -> float:
    """The number from 0 to 1 that follows from a name."""
    # Composed, since another system may hand out the same name decomposed.
    text = salt + unicodedata.normalize("NFC", name)
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
