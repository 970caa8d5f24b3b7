"""HTTP connections that a slow server cannot keep open for ever.

A socket's timeout starts anew with each byte, so that a byte every few seconds would hold a thread
for hours. `open_pool` bounds the time until the headers are there, `read_body` that of the body.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

STALL_SECONDS = 30.0
# What one request may take in all; an image of 200 kB then needs 2 kB/s.
REQUEST_SECONDS = 120.0
# Bytes; far more than a photograph of NUS-WIDE's time has.
LARGEST_BODY = 32 * 2**20
CHUNK = 2**16
USER_AGENT = f"tfrecords_tools (NUS-WIDE image download) urllib3/{urllib3.__version__}"


class TooMuch(Exception):
    """A response took too long or is too large."""


def open_pool(num_connections: int) -> urllib3.PoolManager:
    """Opens a pool that follows no redirects and repeats nothing by itself."""
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
        response: requested with `preload_content=False`.
        deadline: on the clock of `time.monotonic`, seconds.

    Raises:
        TooMuch: the deadline passed, or the body is larger than `LARGEST_BODY`.
        urllib3.exceptions.HTTPError: the server stalled or cut the body off.
    """
    content = bytearray()
    while True:
        # read1 returns what one look at the socket gives; read would wait for the whole chunk.
        chunk = response.read1(CHUNK, decode_content=False)
        if time.monotonic() > deadline:
            raise TooMuch(f"not whole after {REQUEST_SECONDS:g} s")
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > LARGEST_BODY:
            raise TooMuch(f"larger than {LARGEST_BODY} bytes")


@contextlib.contextmanager
def _bounded(connection: HTTPConnection):
    timer = threading.Timer(REQUEST_SECONDS, _hang_up, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not the method of an SSL socket, which would take the reading thread's state away.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _HTTPConnection(HTTPConnection):
    def getresponse(self):
        with _bounded(self):
            return super().getresponse()


class _HTTPSConnection(HTTPSConnection):
    def getresponse(self):
        with _bounded(self):
            return super().getresponse()


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
