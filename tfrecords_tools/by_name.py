"""Choosing images by a hash of their names: as good as random, but fixed for each name."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence


def choose_by_name(names: Sequence[str], share: float, salt: str = "") -> list[bool]:
    """Chooses about a share of the images.

    Whether an image is chosen depends on its own name only, so the order of the images does not
    matter, and adding images moves none of the others. The exception is very few images: at least
    one is chosen, and of two or more, at least one is not.

    Args:
        names: the names of the images, all different.
        share: the share to choose, between 0 and 1.
        salt: a text that makes this choice independent of others.

    Returns:
        For each image whether it is chosen.
    """
    positions = [_position(salt, name) for name in names]
    first, last = min(positions), max(positions)
    return [position == first or (position < share and position != last) for position in positions]


def _position(salt: str, name: str) -> float:
    """A number from 0 to 1 that depends on the name only."""
    # Composed Unicode, since another system may list the same name decomposed.
    text = salt + unicodedata.normalize("NFC", name)
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
