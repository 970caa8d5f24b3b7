"""Running a function on many items in threads that an interrupt need not wait for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from queue import Queue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result], pending: deque[Item], num_threads: int
) -> Generator[Result, None, None]:
    """Yields the results as they come, in any order.

    Not an executor of the standard library: those take all items at once, and make an interrupted
    program wait until its threads have ended. The threads here are given up.

    Args:
        function: called in the threads; what it raises is raised here.
        pending: the items, which are taken from the left; more may be added between the results.
        num_threads: how many; twice as many items are underway at most.

    Example:
        >>> sorted(map_in_threads(abs, deque([-3, 1, -2]), num_threads=2))
        [1, 2, 3]
    """
    tasks: Queue[Any] = Queue()
    results: Queue[Any] = Queue()
    for _ in range(num_threads):
        threading.Thread(target=_work, args=(function, tasks, results), daemon=True).start()
    num_underway = 0
    try:
        while pending or num_underway:
            while pending and num_underway < 2 * num_threads:
                tasks.put((pending.popleft(),))
                num_underway += 1
            result, error = results.get()
            num_underway -= 1
            if error is not None:
                raise error
            yield result
    finally:
        for _ in range(num_threads):
            tasks.put(None)


def _work(function: Callable[[Any], Any], tasks: Queue[Any], results: Queue[Any]) -> None:
    while (task := tasks.get()) is not None:
        try:
            results.put((function(*task), None))
        except Exception as error:
            results.put((None, error))
