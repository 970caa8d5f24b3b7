"""HTTP connections that a slow server cannot keep open forever.

A socket's timeout starts again with each byte, so that a byte every few seconds would block a
thread for hours. `open_pool` limits the time until the headers have arrived, `read_body` the time
and size of the body.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

STALL_SECONDS = 30.0
# The time for one request in all; an image of 200 kB then needs 2 kB/s.
REQUEST_SECONDS = 120.0
# Bytes; far more than a photograph of NUS-WIDE's time has.
MAX_BODY = 32 * 2**20
CHUNK = 2**16
USER_AGENT = f"tfrecords_tools (NUS-WIDE image download) urllib3/{urllib3.__version__}"


class TooMuch(Exception):
    """A response takes too long or is too large."""


def open_pool(num_connections: int) -> urllib3.PoolManager:
    """Opens a pool that neither follows redirects nor retries by itself."""
    pool = urllib3.PoolManager(
        num_pools=32,
        maxsize=num_connections,
        headers={"User-Agent": USER_AGENT},
        timeout=urllib3.Timeout(connect=STALL_SECONDS, read=STALL_SECONDS),
        retries=False,
    )
    pool.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return pool


def read_body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Reads a response to its end.

    Args:
        response: a response requested with `preload_content=False`.
        deadline: the latest time, in seconds of `time.monotonic`.

    Raises:
        TooMuch: the deadline passed, or the body is larger than `MAX_BODY`.
        urllib3.exceptions.HTTPError: the server stalled or cut off the body.
    """
    content = bytearray()
    while True:
        # read1 returns what has arrived; read would wait for the whole chunk.
        chunk = response.read1(CHUNK, decode_content=False)
        if time.monotonic() > deadline:
            raise TooMuch(f"not complete after {REQUEST_SECONDS:g} s")
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > MAX_BODY:
            raise TooMuch(f"larger than {MAX_BODY} bytes")


class _Bounded(HTTPConnection):
    """Hangs up if the headers do not arrive in time."""

    def getresponse(self):
        timer = threading.Timer(REQUEST_SECONDS, _hang_up, [self.sock])
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()
        finally:
            timer.cancel()


def _hang_up(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not the method of an SSL socket, which would reset the state of the reading thread.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _BoundedHTTPS(_Bounded, HTTPSConnection):
    pass


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPS
