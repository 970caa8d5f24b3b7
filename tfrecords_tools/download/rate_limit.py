"""A limit of requests per second over all threads, which a server can pause."""

from __future__ import annotations

import threading
import time


class Stopped(Exception):
    """The download was stopped; no further request may begin."""


class RateLimit:
    """Spaces requests evenly, without bursts.

    Args:
        requests_per_second: the maximum rate, above 0.

    Example:
        >>> limit = RateLimit(requests_per_second=10)
        >>> limit.wait()  # the first returns at once, the next 0.1 s later
    """

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1 / requests_per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait(self) -> None:
        """Returns when the next request may begin; raises Stopped after `close`."""
        delay = 0.0
        while not self._stopped.wait(delay):
            # Computed again after each wait, since there may have been another thread or a pause.
            with self._lock:
                now = time.monotonic()
                delay = self._next - now
                if delay <= 0:
                    self._next = now + self._interval
                    return
        raise Stopped

    def pause(self, seconds: float) -> None:
        """Lets no request begin during this time."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def close(self) -> None:
        """Ends all waiting, now and later."""
        self._stopped.set()
