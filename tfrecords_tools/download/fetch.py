"""Fetching one image: its sizes in turn, each a few times if need be, its bytes checked in full."""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections.abc import Container
from contextlib import closing
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin

import urllib3
from PIL import Image, UnidentifiedImageError
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError

from tfrecords_tools.download import connections
from tfrecords_tools.download.connections import TooMuch, open_pool, read_body
from tfrecords_tools.download.placeholders import is_placeholder_url
from tfrecords_tools.download.rate_limit import RateLimit
from tfrecords_tools.download.report import BROKEN, FOUND, GONE, Entry
from tfrecords_tools.download.url_list import Photo
from tfrecords_tools.images import check_jpeg

ATTEMPTS = 4
# Before the second attempt; doubled for each further one.
BACKOFF_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
MOST_REDIRECTS = 5
GONE_STATUSES = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
PASSING_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600))


class Fetched(NamedTuple):
    """What became of an image, and its bytes if it was found.

    `answered` is False if the server gave no answer about any size: it cannot be reached, or
    refuses.
    """

    entry: Entry
    content: bytes
    answered: bool


class _Gone(Exception):
    """There is no image at this URL any more; `args[1]` is the digest of a placeholder."""


class _Damaged(Exception):
    """What is at this URL is not a whole image."""


class _Unanswered(Exception):
    """The server does not say whether there is an image at this URL."""


class _Passing(Exception):
    """This attempt failed; the next may not."""


class Fetcher:
    """Fetches images; for use by several threads.

    Args:
        size: the preferred one of `SIZES`; the others are tried when it is gone or broken.
        rate_limit: is asked before each request, redirects and further attempts included.
        placeholders: the SHA-256 digests of pictures that stand for a deleted photograph.
        num_connections: to keep open to each server.

    Example:
        >>> fetcher = Fetcher("middle", RateLimit(10), set(), num_connections=1)
        >>> photo = Photo("sky/0001_1.jpg", (None, None, None, None))
        >>> fetcher.fetch(photo).entry.status  # the list has no address of it
        'gone'
    """

    def __init__(
        self,
        size: str,
        rate_limit: RateLimit,
        placeholders: Container[str],
        num_connections: int,
    ) -> None:
        self._size = size
        self._rate_limit = rate_limit
        self._placeholders = placeholders
        self._pool = open_pool(num_connections)

    def fetch(self, photo: Photo) -> Fetched:
        """Fetches an image in the first of its sizes that is there and whole.

        Raises:
            Stopped: the download was stopped.
        """
        details: list[str] = []
        status, placeholder, answered = GONE, "", False
        for size, url in photo.choices(self._size):
            try:
                content, sha256 = self._fetch_patiently(url)
            except _Gone as error:
                reason, *digest = error.args
                placeholder = digest[0] if digest else placeholder
                answered = True
            except _Damaged as error:
                reason, status = error, BROKEN
                answered = True
            except _Unanswered as error:
                reason, status = error, BROKEN
            else:
                details += [size] if details else []
                entry = Entry(photo.filename, FOUND, url, "; ".join(details), sha256)
                return Fetched(entry, content, True)
            details.append(f"{size}: {reason}")
        detail = "; ".join(details) or "no URL in the list"
        sha256 = placeholder if status == GONE else ""
        entry = Entry(photo.filename, status, "", detail, sha256)
        return Fetched(entry, b"", answered or not details)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _fetch_patiently(self, url: str) -> tuple[bytes, str]:
        for attempt in range(ATTEMPTS):
            if attempt:
                # The jitter keeps threads that failed together from coming back together.
                time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            try:
                content = self._follow(url)
            except _Passing as error:
                reason = error
                continue
            sha256 = hashlib.sha256(content).hexdigest()
            if sha256 in self._placeholders:
                raise _Gone("photo unavailable, by its bytes", sha256)
            check_image(content)
            return content, sha256
        raise _Unanswered(f"{reason}, {ATTEMPTS} times")

    def _follow(self, url: str) -> bytes:
        # By hand, so that the limit of requests holds, and a placeholder is not even asked for.
        for _ in range(MOST_REDIRECTS + 1):
            if is_placeholder_url(url):
                raise _Gone("photo unavailable")
            self._rate_limit.wait()
            deadline = time.monotonic() + connections.REQUEST_SECONDS
            try:
                response = self._pool.request("GET", url, redirect=False, preload_content=False)
                with closing(response):
                    location = response.get_redirect_location()
                    if not location:
                        return self._content(response, deadline)
                url = urljoin(url, location)
            except TooMuch as error:
                raise _Unanswered(error) from error
            except (HTTPError, OSError, ValueError) as error:
                if time.monotonic() > deadline:
                    raise _Unanswered(f"{_short(error)}, after the time for a request") from error
                raise _Passing(_short(error)) from error
        raise _Unanswered(f"more than {MOST_REDIRECTS} redirects")

    def _content(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        if response.status == HTTPStatus.OK:
            return read_body(response, deadline)
        reason = f"HTTP {response.status}"
        if response.status in PASSING_STATUSES:
            self._rate_limit.pause(min(_retry_after(response), LONGEST_PAUSE_SECONDS))
            raise _Passing(reason)
        # So that the connection can serve the next request.
        read_body(response, deadline)
        if response.status in GONE_STATUSES:
            raise _Gone(reason)
        # 403 among them: a server that blocks us for a while must not make all images "gone".
        raise _Unanswered(reason)


def check_image(content: bytes) -> None:
    """Decodes an image in full, as strictly as `convert` will.

    Raises:
        _Damaged: it is no image, damaged or cut off.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
                check_jpeg(content)
            else:
                image.load()
            if image.format == "PNG":
                # Checks the file's checksums, which decoding does not.
                Image.open(io.BytesIO(content)).verify()
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise _Damaged("not an image") from error
    # Pillow raises exceptions of many kinds for broken files.
    except Exception as error:
        raise _Damaged(f"not a whole image ({_short(error)})") from error


def _retry_after(response: urllib3.BaseHTTPResponse) -> float:
    """The seconds of a Retry-After header, be it a number or a date; 0 without one."""
    try:
        return urllib3.Retry().get_retry_after(response) or 0.0
    except InvalidHeader:
        return 0.0


def _short(error: Exception) -> str:
    # Errors of a connection begin with a description of it, or end with their own cause.
    reason = error.args[0] if isinstance(error, ProtocolError) else error
    return str(reason).rpartition("): ")[2][:200] or type(error).__name__
