"""Calling a source's `load` in worker processes, with the results in order."""

from __future__ import annotations

import copy
import multiprocessing
import os
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple, Protocol

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import keep_image_memory
from tfrecords_tools.schema import Record
from tfrecords_tools.worker_processes import end_with_parent, interrupts_ignored

ITEMS_PER_TASK = 16
# Limits what waits in memory if writing is slower than reading.
TASKS_PER_WORKER = 4


class Source(Protocol):
    """What a data set must offer to be converted.

    An optional attribute `validation_share` is the default share of `train` that becomes
    `validation`; an optional method `path` gives the file of an image.

    Attributes:
        tag_names: the names of the tags.
        splits: the images of each split: small objects that can be pickled and whose `repr` shows
            their content; see `item_name` for their names.
    """

    @property
    def tag_names(self) -> Sequence[str]: ...

    @property
    def splits(self) -> Mapping[str, Sequence[Any]]: ...

    def load(self, item: Any) -> Record:
        """Reads one image, in a worker process; raises InputError if it is damaged."""
        ...


class Rejected(NamedTuple):
    """A damaged image, and what is wrong with it."""

    filename: str
    reason: str


def load_items(
    source: Source, items: Sequence[Any], workers: int
) -> Generator[Record | Rejected, None, None]:
    """Yields the record of each item, or why there is none, in order.

    Args:
        source: the source; it is pickled for the workers.
        items: items of its splits.
        workers: the number of processes; with 1 the items are loaded in this one.

    Raises:
        InputError: a worker process was killed.

    Example:
        >>> from tfrecords_tools.sources.folder import Folder
        >>> source = Folder("photos", size=64)
        >>> records = load_items(source, source.splits["test"], workers=1)
        >>> sorted(record.filename for record in records)
        ['cat.jpg', 'tree.jpg']
    """
    if workers == 1:
        yield from (load_item(source, item) for item in items)
        return
    pool = ProcessPoolExecutor(
        workers,
        # A forked child of a process with TensorFlow's threads may hang.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(without_items(source),),
    )
    waiting: deque[Future[list[Record | Rejected]]] = deque()
    try:
        with interrupts_ignored():
            for _ in range(workers):
                pool.submit(os.getpid)
        for start in range(0, len(items), ITEMS_PER_TASK):
            waiting.append(pool.submit(_load_in_worker, items[start : start + ITEMS_PER_TASK]))
            if len(waiting) == TASKS_PER_WORKER * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process was killed, as when memory runs out; run the conversion again with "
            "fewer workers, and it resumes (a script that calls this needs "
            "`if __name__ == '__main__':`)"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def without_items(source: Source) -> Source:
    """A copy for a worker, which gets its items one by one: their list may be long."""
    reader = copy.copy(source)
    vars(reader).pop("splits", None)
    return reader


def item_name(item: Any) -> str:
    """The name of an image: its attribute `filename`, or else its text."""
    return str(getattr(item, "filename", item))


def load_item(source: Source, item: Any) -> Record | Rejected:
    """The record of an item, or why there is none."""
    try:
        return source.load(item)
    except InputError as error:
        return Rejected(item_name(item), str(error))


_worker_source: Source


def _start_worker(source: Source) -> None:
    global _worker_source
    _worker_source = source
    keep_image_memory()
    end_with_parent()


def _load_in_worker(items: Sequence[Any]) -> list[Record | Rejected]:
    return [load_item(_worker_source, item) for item in items]
