"""Downloading the images of NUS-WIDE, politely, until each is stored or known to be gone.

Threads fetch and check images in memory; only this one writes files, so that a kill at any moment
leaves only whole images.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tqdm import tqdm

from tfrecords_tools.download.fetch import Fetched, Fetcher
from tfrecords_tools.download.placeholders import Placeholders
from tfrecords_tools.download.rate_limit import RateLimit
from tfrecords_tools.download.report import BROKEN, FOUND, GONE, DownloadReport, Entry
from tfrecords_tools.download.url_list import SIZES, Photo, read_url_list
from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_bytes
from tfrecords_tools.lock import one_at_a_time

# A server that does not answer for this many images in a row is down, or has blocked us.
MAX_UNANSWERED = 100


@one_at_a_time("output")
def download(
    urls: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    size: str = "middle",
    concurrent: int = 16,
    requests_per_second: float = 20.0,
    retry_gone: bool = False,
) -> DownloadReport:
    """Downloads the images of `NUS-WIDE-urls.txt` to `output/<category>/<file>.jpg`.

    An image is stored if it is whole: decoded in full, and not Flickr's "photo unavailable"
    picture. Failed connections, stalls, cut-off bodies, 429 and 5xx are retried with growing
    pauses, and all threads heed a Retry-After. The result for each image is in
    `output/download_report.csv`.

    A second call resumes: existing images are not requested, nor those that are gone in all sizes;
    broken ones are, last.

    Args:
        urls: the file `NUS-WIDE-urls.txt`.
        output: the folder of images, `NUS-WIDE/Flickr`; it is created if it does not exist.
        size: the preferred size, one of `SIZES`; if it is gone or broken, the larger ones are tried
            and then the smaller ones. The default, with 500 pixels on the longer side, is enough
            for 256 x 256.
        concurrent: the maximum number of requests at the same time, at least 1.
        requests_per_second: the maximum rate over all threads, above 0.
        retry_gone: whether to request images again that were gone.

    Returns:
        The report on all images in the folder.

    Raises:
        InUse: another process writes to `output`.
        InputError: the list is malformed, the folder cannot be written, the disk is full, or the
            server did not answer for about 100 images in a row. Stored images are kept.

    Example:
        >>> print(download("first-thousand.txt", "NUS-WIDE/Flickr"))  # doctest: +SKIP
        1,000 images: 800 found, 199 gone, 1 broken; see NUS-WIDE/Flickr/download_report.csv
    """
    if size not in SIZES:
        raise ValueError(f"size must be one of {SIZES}, received {size!r}")
    if concurrent < 1 or requests_per_second <= 0:
        raise ValueError(
            "concurrent must be at least 1 and requests_per_second above 0, received "
            f"{concurrent} and {requests_per_second}"
        )
    photos = read_url_list(urls)
    directory = Path(output)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        present = _present_files(directory)
        with closing(DownloadReport(directory, present)) as report:
            pending = _pending(photos, report, present, retry_gone)
            rate_limit = RateLimit(requests_per_second)
            placeholders = _known_placeholders(report)
            # Limits what waits in memory if writing is slower than fetching.
            slots = threading.Semaphore(2 * concurrent)

            def fetch(photo: Photo) -> Fetched:
                slots.acquire()
                return fetcher.fetch(photo)

            with (
                closing(Fetcher(size, rate_limit, placeholders.known, concurrent)) as fetcher,
                # Its threads do not keep an interrupted program alive, unlike those of an executor.
                ThreadPool(concurrent) as threads,
                ExitStack() as stack,
                closing(rate_limit),
                tqdm(
                    desc="Downloading",
                    total=len(photos),
                    initial=len(photos) - len(pending),
                    unit=" images",
                    disable=None,  # no bar if standard error is not a terminal
                ) as bar,
            ):
                # Threads that wait for a slot end too.
                stack.callback(slots.release, concurrent)
                while pending:
                    again: list[str] = []
                    for fetched in _answered(threads.imap_unordered(fetch, pending)):
                        slots.release()
                        taken_back = _take(fetched, directory, report, placeholders)
                        again += [name for name in taken_back if name in photos]
                        bar.update()
                    pending = [photos[name] for name in dict.fromkeys(again)]
                    bar.update(-len(pending))
    except OSError as error:
        raise InputError(
            f"{directory} cannot be written ({error.strerror or error}); fix that and run the same "
            "command again, and it resumes"
        ) from error
    return report


def _present_files(directory: Path) -> set[str]:
    categories = [path for path in directory.iterdir() if path.is_dir()]
    for category in categories:
        remove_partial(category)
    # Listing the folders is much faster than testing each of 270,000 files.
    return {f"{folder.name}/{file}" for folder in categories for file in os.listdir(folder)}


def _pending(
    photos: dict[str, Photo], report: DownloadReport, present: set[str], retry_gone: bool
) -> list[Photo]:
    """What is still to be fetched; images that were broken come last."""
    new, broken = [], []
    for name, photo in photos.items():
        entry = report.entries.get(name)
        if name in present:
            # Only whole images get their final names, so an existing file is enough.
            if entry is None or entry.status != FOUND:
                report.add(Entry(name, FOUND, detail="existed already"))
        elif entry is not None and entry.status == BROKEN:
            broken.append(photo)
        elif entry is None or retry_gone:
            new.append(photo)
    return new + broken


def _known_placeholders(report: DownloadReport) -> Placeholders:
    placeholders = Placeholders()
    for entry in report.entries.values():
        if entry.sha256 and entry.status == FOUND:
            placeholders.add(entry.sha256, entry.filename)
        elif entry.sha256 and entry.status == GONE:
            placeholders.known.add(entry.sha256)
    return placeholders


def _answered(results: Iterator[Fetched]) -> Iterator[Fetched]:
    """Passes results on; raises InputError if the server stops answering."""
    num_unanswered = 0
    for fetched in results:
        yield fetched
        num_unanswered = 0 if fetched.answered else num_unanswered + 1
        if num_unanswered == MAX_UNANSWERED:
            entry = fetched.entry
            raise InputError(
                f"no answer for {num_unanswered} images in a row, the last one {entry.filename} "
                f"({entry.detail}); check the network, wait if the server has blocked you, and run "
                "the same command again, and it resumes"
            )


def _take(
    fetched: Fetched, directory: Path, report: DownloadReport, placeholders: Placeholders
) -> list[str]:
    """Stores an image and its entry; returns the images that must be fetched again instead.

    A kill between any two steps leaves a whole file, or none, and the next download fetches the
    image again.
    """
    entry = fetched.entry
    if entry.status != FOUND:
        report.add(entry)
        return []
    unmasked = placeholders.add(entry.sha256, entry.filename)
    for name in unmasked:
        (directory / name).unlink(missing_ok=True)
        report.add(Entry(name, BROKEN, detail="photo unavailable, by its bytes; to be retried"))
    if not unmasked:
        write_bytes(directory / entry.filename, fetched.content)
        report.add(entry)
    return unmasked
