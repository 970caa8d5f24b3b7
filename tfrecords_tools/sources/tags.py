"""The rules of tags that all sources share."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

from tfrecords_tools.errors import InputError


@cache
def tag_name(text: str) -> str:
    """A tag as it is stored: composed Unicode (NFC), single spaces, case preserved."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def tag_names(parts: Iterable[str]) -> tuple[str, ...]:
    """The tags in parts of a text, without repeated and empty ones."""
    return tuple(dict.fromkeys(tag for part in parts if (tag := tag_name(part))))


def tags_in_text(text: str) -> tuple[str, ...]:
    """The tags in the text file beside an image, separated by line ends, `;` or `,`."""
    return tag_names(re.split(r"[\r\n;,]", text))


def is_text_file_tag(tag: str) -> bool:
    """Whether a text file beside an image can hold a tag so that it is read back unchanged."""
    # A text file may start with a byte order mark.
    return not tag.startswith("\ufeff") and "\0" not in tag and tags_in_text(tag) == (tag,)


def distinct_tags(names: Iterable[tuple[str, str]]) -> list[str]:
    """A list of tags as they are stored.

    Args:
        names: for each tag its place, for messages, and its name.

    Raises:
        InputError: a tag is empty, or two are the same as they are stored.
    """
    places: dict[str, str] = {}
    for place, text in names:
        name = tag_name(text)
        if not name:
            raise InputError(f"{place}: the tag {text!r} has no characters but blanks; name it")
        if name in places:
            raise InputError(
                f"{place}: the tag {text!r} is the same as that of {places[name]} (blanks and the "
                "Unicode form of accents do not count); rename or remove one"
            )
        places[name] = place
    return list(places)


def different_in_case_only(tags: Iterable[str]) -> list[str]:
    """The tags that another one equals but for its case, sorted."""
    tags = list(tags)
    spellings = Counter(map(str.casefold, tags))
    return sorted(tag for tag in tags if spellings[tag.casefold()] > 1)
