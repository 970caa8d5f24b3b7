"""`NUS-WIDE-urls.txt`: the URLs of each image, in up to four sizes."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import InputError

# In ascending order: longer sides of about 240, 500 and 1024 pixels, and the uploaded file.
SIZES = ("small", "middle", "large", "original")
COLUMNS = ("large", "middle", "small", "original")
EXPECTED = (
    r"expected C:\ImageData\Flickr\<category>\<file>.jpg, the photo's id and its large, middle, "
    "small and original URL (null for none), separated by blanks"
)

# A name that is safe in every folder and on every system: it does not begin with a dot, a blank or
# a hyphen, and has no separator.
SAFE_NAME = re.compile(r"\w[\w .&'()+-]*")
URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


class Photo(NamedTuple):
    """An image: its name, `<category>/<file>.jpg`, and its URL in each of `SIZES`, or None."""

    filename: str
    urls: tuple[str | None, ...]

    def choices(self, preferred: str) -> list[tuple[str, str]]:
        """The available sizes with their URLs, best first.

        After the preferred size come the larger ones, smallest first, which can be reduced without
        loss; then the smaller ones, largest first.
        """
        index = SIZES.index(preferred)
        order = [*range(index, len(SIZES)), *reversed(range(index))]
        return [(SIZES[i], url) for i in order if (url := self.urls[i]) is not None]


def read_url_list(path: str | os.PathLike[str]) -> dict[str, Photo]:
    """Reads the release's list of URLs.

    Lines that are empty or begin with `%` are ignored. If an image is listed twice, the first line
    counts.

    Args:
        path: the file, in UTF-8, UTF-16 with a byte order mark, or any encoding that has ASCII's
            characters; lines end with LF, CRLF or CR.

    Returns:
        The photographs by file name, in the list's order.

    Raises:
        InputError: the file cannot be read, lists no images, or has a malformed line or an unsafe
            file name.

    Example:
        >>> read_url_list("NUS-WIDE-urls.txt")["actor/0002_174174086.jpg"].choices("middle")[0]
        ('middle', 'http://farm.example/174174086.jpg')
    """
    photos: dict[str, Photo] = {}
    try:
        with open(path, encoding=_encoding(Path(path)), errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if text and not text.startswith("%"):
                    photo = _parse(text, f"{path}, line {number}")
                    photos.setdefault(photo.filename, photo)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); expected NUS-WIDE-urls.txt of "
            "NUS-WIDE's release"
        ) from error
    if not photos:
        raise InputError(f"{path} lists no images; {EXPECTED}")
    return photos


def _encoding(path: Path) -> str:
    with open(path, "rb") as file:
        begin = file.read(2)
    return "utf-16" if begin in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _parse(text: str, where: str) -> Photo:
    # From the right, so that a category may have a blank in its name.
    fields = text.rsplit(maxsplit=len(COLUMNS) + 1)
    if len(fields) != len(COLUMNS) + 2 or not fields[1].isdecimal():
        raise InputError(f"{where}: {EXPECTED}; found {text[:80]!r}")
    urls = {}
    for size, url in zip(COLUMNS, fields[2:], strict=True):
        if url.lower() == "null":
            continue
        if not URL.fullmatch(url):
            raise InputError(f"{where}: expected an http(s) URL or null for {size}, found {url!r}")
        urls[size] = url
    return Photo(_filename(fields[0], where), tuple(map(urls.get, SIZES)))


def _filename(path: str, where: str) -> str:
    parts = re.split(r"[\\/]", path)
    folders = [part.lower() for part in parts]
    if "flickr" in folders[:-2]:
        parts = parts[folders.index("flickr") + 1 :]
    if (
        len(parts) != 2
        or not all(map(SAFE_NAME.fullmatch, parts))
        or not parts[1].lower().endswith((".jpg", ".jpeg"))
    ):
        raise InputError(
            rf"{where}: {path!r} is refused as a file name; expected "
            r"C:\ImageData\Flickr\<category>\<file>.jpg; correct or remove the line"
        )
    return "/".join(parts)
