"""Downloading the images of NUS-WIDE: politely, until each is there or known to be gone.

Threads fetch and check images in memory; this one alone writes files, so that a kill at any moment
leaves only whole images, and nothing has to be locked.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from tfrecords_tools.download.fetch import Fetched, Fetcher
from tfrecords_tools.download.placeholders import Placeholders
from tfrecords_tools.download.rate_limit import RateLimit
from tfrecords_tools.download.report import BROKEN, FOUND, GONE, DownloadReport, Entry
from tfrecords_tools.download.threads import map_in_threads
from tfrecords_tools.download.url_list import SIZES, Photo, read_url_list
from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_whole

# A server that gives no answer about so many images in a row is down, or has blocked us.
MOST_UNANSWERED = 100


def download(
    urls: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    size: str = "middle",
    concurrent: int = 16,
    requests_per_second: float = 20.0,
    retry_gone: bool = False,
    progress: bool = True,
) -> DownloadReport:
    """Fetches the images of `NUS-WIDE-urls.txt` to `output/<category>/<file>.jpg`.

    An image is stored when it is whole: decoded in full, and not Flickr's "photo unavailable"
    picture. Failing connections, stalls, cut-off bodies, 429 and 5xx are tried again with growing
    pauses, and all threads heed a Retry-After. What happened to each image is in
    `output/download_report.csv`.

    Given again, it goes on: images that are there are not asked for, nor those that were gone in
    all sizes; those that were broken are, last. Run one download in a folder at a time.

    Args:
        urls: the file `NUS-WIDE-urls.txt`.
        output: the folder of images, `NUS-WIDE/Flickr`; it is made if need be.
        size: preferred size, one of `SIZES`; when it is gone or broken, the larger ones are tried
            and then the smaller ones. The default, with 500 pixels on the longer side, is enough
            for 256 x 256.
        concurrent: number of requests at the same time, at least 1.
        requests_per_second: the limit over all threads, above 0.
        retry_gone: whether to ask again for images that were gone.
        progress: whether to show a progress bar, if standard error is a terminal.

    Returns:
        The report on all images in the folder.

    Raises:
        InputError: the list is malformed, the folder cannot be written or the disk is full, or
            the server has given no answer about 100 images in a row. What was fetched is kept.

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
            with (
                closing(Fetcher(size, rate_limit, placeholders.known, concurrent)) as fetcher,
                closing(map_in_threads(fetcher.fetch, pending, concurrent)) as results,
                # Threads that an interrupt leaves behind end with their next request.
                closing(rate_limit),
                tqdm(
                    desc="Downloading",
                    total=len(photos),
                    initial=len(photos) - len(pending),
                    unit=" images",
                    disable=None if progress else True,
                ) as bar,
            ):
                num_unanswered = 0
                for fetched in results:
                    again = _take(fetched, directory, report, placeholders)
                    again = [name for name in again if name in photos]
                    pending.extendleft(photos[name] for name in again)
                    bar.update(1 - len(again))
                    num_unanswered = 0 if fetched.answered else num_unanswered + 1
                    if num_unanswered == MOST_UNANSWERED:
                        raise InputError(_no_answer(fetched.entry))
    except OSError as error:
        raise InputError(
            f"{directory} cannot be written ({error.strerror or error}); mend that and give the "
            "same command again: it goes on from here"
        ) from error
    return report


def _present_files(directory: Path) -> set[str]:
    categories = [path for path in directory.iterdir() if path.is_dir()]
    for category in categories:
        remove_partial(category)
    # Listing the folders is much faster than asking for each of 270,000 files.
    return {f"{folder.name}/{file}" for folder in categories for file in os.listdir(folder)}


def _pending(
    photos: dict[str, Photo], report: DownloadReport, present: set[str], retry_gone: bool
) -> deque[Photo]:
    """What is still to be fetched; images that were broken come last."""
    new, broken = [], []
    for name, photo in photos.items():
        entry = report.entries.get(name)
        if name in present:
            # Only whole images get their final names, so that being there is enough.
            if entry is None or entry.status != FOUND:
                report.add(Entry(name, FOUND, detail="was there already"))
        elif entry is not None and entry.status == BROKEN:
            broken.append(photo)
        elif entry is None or retry_gone:
            new.append(photo)
    return deque(new + broken)


def _known_placeholders(report: DownloadReport) -> Placeholders:
    placeholders = Placeholders()
    for entry in report.entries.values():
        if entry.sha256 and entry.status == FOUND:
            placeholders.add(entry.sha256, entry.filename)
        elif entry.sha256 and entry.status == GONE:
            placeholders.known.add(entry.sha256)
    return placeholders


def _take(
    fetched: Fetched, directory: Path, report: DownloadReport, placeholders: Placeholders
) -> list[str]:
    """Stores an image and its entry; returns the images that are to be fetched again instead.

    The order of the steps is such that after a kill between any two of them, the next download
    finds either a whole file, or none and fetches it again.
    """
    entry = fetched.entry
    if entry.status != FOUND:
        report.add(entry)
        return []
    unmasked = placeholders.add(entry.sha256, entry.filename)
    for name in unmasked:
        (directory / name).unlink(missing_ok=True)
        report.add(Entry(name, BROKEN, detail="photo unavailable, by its bytes; to be asked again"))
    if not unmasked:
        with write_whole(directory / entry.filename) as temporary:
            temporary.write_bytes(fetched.content)
            report.add(entry)
    return unmasked


def _no_answer(entry: Entry) -> str:
    return (
        f"no answer about {MOST_UNANSWERED} images in a row, the last one {entry.filename} "
        f"({entry.detail}); check the network, wait if the server has blocked you, and give the "
        "same command again: it goes on from here"
    )
