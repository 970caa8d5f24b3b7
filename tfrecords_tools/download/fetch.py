"""Fetching one image: its sizes in turn, with retries, its bytes checked in full.

`urllib3.Retry` has no part in it: it does not retry bodies that are cut off while they are read in
parts, which limits their time and size, and only the thread that got a Retry-After would wait.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Container
from contextlib import closing
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError

from tfrecords_tools.download import connections
from tfrecords_tools.download.connections import TooMuch, open_pool, read_body
from tfrecords_tools.download.placeholders import is_placeholder_url
from tfrecords_tools.download.rate_limit import RateLimit
from tfrecords_tools.download.report import BROKEN, FOUND, GONE, Entry
from tfrecords_tools.download.url_list import Photo
from tfrecords_tools.images import encode_image

ATTEMPTS = 4
# Before the second attempt; doubled for each further one.
BACKOFF_SECONDS = 1.0
MAX_PAUSE_SECONDS = 300.0
MAX_REDIRECTS = 5
GONE_STATUSES = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
RETRY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600))


class Fetched(NamedTuple):
    """The result for an image.

    Attributes:
        entry: its line in the report.
        content: its bytes if it was found.
        answered: False if the server did not answer for any size: it is unreachable or refuses.
    """

    entry: Entry
    content: bytes
    answered: bool


class _Failed(Exception):
    """A request that gave no whole image.

    Args:
        reason: what went wrong.
        status: `gone` if there is no image at the URL any more, otherwise `broken`.
        answered: whether the server answered for this URL.
        retry: whether another attempt may succeed.
        placeholder: the digest of a placeholder that came instead.
    """

    def __init__(
        self,
        reason: object,
        status: str = BROKEN,
        answered: bool = False,
        retry: bool = False,
        placeholder: str = "",
    ) -> None:
        super().__init__(reason)
        self.status, self.answered, self.retry = status, answered, retry
        self.placeholder = placeholder


class Fetcher:
    """Fetches images, in any number of threads.

    Args:
        size: the preferred one of `SIZES`; the others are tried if it is gone or broken.
        rate_limit: the limit that every request waits for, redirects and retries included.
        placeholders: the SHA-256 digests of pictures that stand for a deleted photograph.
        num_connections: the number of connections to keep open to each server.

    Example:
        >>> fetcher = Fetcher("middle", RateLimit(10), set(), num_connections=1)
        >>> photo = Photo("sky/0001_1.jpg", (None, None, None, None))
        >>> fetcher.fetch(photo).entry.status  # the list has no URL for it
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
        """Fetches an image in the first of its sizes that is whole; raises Stopped."""
        details: list[str] = []
        status, placeholder, answered = GONE, "", False
        for size, url in photo.choices(self._size):
            try:
                content, sha256 = self._fetch_patiently(url)
            except _Failed as error:
                status = BROKEN if error.status == BROKEN else status
                placeholder = error.placeholder or placeholder
                answered |= error.answered
                details.append(f"{size}: {error}")
            else:
                detail = "; ".join([*details, size] if details else [])
                return Fetched(Entry(photo.filename, FOUND, url, detail, sha256), content, True)
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
                # The jitter keeps threads that failed together from retrying together.
                time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
            try:
                content = self._follow(url)
                break
            except _Failed as error:
                if not error.retry:
                    raise
                reason = error
        else:
            raise _Failed(f"{reason}, {ATTEMPTS} times")
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 in self._placeholders:
            raise _Failed("photo unavailable, by its bytes", GONE, True, placeholder=sha256)
        try:
            # As strictly as the conversion will.
            encode_image(content)
        except ValueError as error:
            raise _Failed(f"not a whole image ({_short(error)})", answered=True) from error
        return content, sha256

    def _follow(self, url: str) -> bytes:
        # By hand, so that the rate limit applies, and a placeholder is not even requested.
        for _ in range(MAX_REDIRECTS + 1):
            if is_placeholder_url(url):
                raise _Failed("photo unavailable", GONE, answered=True)
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
                raise _Failed(error) from error
            except (HTTPError, OSError, ValueError) as error:
                late = time.monotonic() > deadline
                reason = f"{_short(error)}{', after the time for a request' if late else ''}"
                raise _Failed(reason, retry=not late) from error
        raise _Failed(f"more than {MAX_REDIRECTS} redirects")

    def _content(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        if response.status == HTTPStatus.OK:
            return read_body(response, deadline)
        reason = f"HTTP {response.status}"
        if response.status in RETRY_STATUSES:
            self._rate_limit.pause(min(_retry_after(response), MAX_PAUSE_SECONDS))
            raise _Failed(reason, retry=True)
        # So that the connection can be used for the next request.
        read_body(response, deadline)
        if response.status in GONE_STATUSES:
            raise _Failed(reason, GONE, answered=True)
        # With 403 too: a server that blocks us for a while must not make all images "gone".
        raise _Failed(reason)


def _retry_after(response: urllib3.BaseHTTPResponse) -> float:
    """The seconds of a Retry-After header, which is a number or a date; 0 without one."""
    try:
        return urllib3.Retry().get_retry_after(response) or 0.0
    except InvalidHeader:
        return 0.0


def _short(error: Exception) -> str:
    # Connection errors begin with a description of the connection, or end with their own cause.
    reason = error.args[0] if isinstance(error, ProtocolError) else error
    return str(reason).rpartition("): ")[2][:200] or type(error).__name__
