"""Images that are in two splits of a data set: the same file, or another copy of the picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# 128 signs in 8 bands of 16 bits.
NUM_BANDS = 8
NUM_FREQUENCIES = 16
# The hash needs this many pixels per side; smaller images are used as they are.
HASHED_SIDE = 32
# Of 128 bits; see `perceptual_hash`.
MAX_DISTANCE = 12
# In gray levels. An image with less has one color, and its hash is noise.
MIN_CONTRAST = 1.0

#: What is kept of an image, 24 bytes: 64 bits of the file's SHA-256, and its perceptual hash.
FINGERPRINT = np.dtype([("content", np.uint64), ("perceptual", np.uint16, (NUM_BANDS,))])

_QUERIES_AT_ONCE = 4096
_CANDIDATES_AT_ONCE = 32


def perceptual_hash(gray: np.ndarray, height: int, width: int) -> np.ndarray:
    """The signs of the 128 lowest frequencies of an image's cosine transform.

    Two images are near duplicates if at most `MAX_DISTANCE` = 12 of the 128 signs differ. Measured
    on the photographs of Corel5K at 256 x 256 pixels: copies of 205 of them, saved with quality 60
    at 128 to 300 pixels, differ in 1 or 2 signs (median) and in at most 9. Of the 12.5 million
    pairs of photographs 2 are within 12, and the 9 within 19 all show one scene twice; the first
    pair of different pictures differs in 20. Mirrored and clearly cropped copies are not found.

    Args:
        gray: (h, w) uint8, the image decoded by libjpeg at one to eight eighths of its size.
        height: the image's full height in pixels.
        width: the image's full width in pixels.

    Returns:
        (8,) uint16, 16 signs each; all zero if the image has only one color.

    Example:
        >>> gray = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
        >>> brighter = gray // 2 + 100
        >>> signs = [perceptual_hash(image, height=64, width=64) for image in (gray, brighter)]
        >>> int(np.bitwise_count(signs[0] ^ signs[1]).sum()) <= MAX_DISTANCE
        True
    """
    rows, columns = (
        _cosines(num_pixels, _covered(num_pixels, full))
        for num_pixels, full in zip(gray.shape, (height, width), strict=True)
    )
    coefficients = rows @ gray.astype(np.float32) @ columns.T / gray.size
    coefficients[0, 0] = 0  # the mean brightness
    if np.vdot(coefficients, coefficients) < MIN_CONTRAST**2:
        return np.zeros(NUM_BANDS, np.uint16)
    return np.packbits(coefficients.ravel()[_bit_order()] > 0).view(np.uint16)


def _covered(num_pixels: int, full: int) -> float:
    """The number of pixels of a reduced side that the image covers.

    libjpeg rounds up to whole pixels; using the rounded size would stretch the picture by up to 3%
    and change many signs.
    """
    return full * (8 * num_pixels // full) / 8


@lru_cache(maxsize=256)
def _cosines(num_pixels: int, length: float) -> np.ndarray:
    pixels = np.arange(num_pixels)
    frequencies = np.arange(NUM_FREQUENCIES)[:, None]
    waves = np.cos(np.pi * frequencies * (pixels + 0.5) / length)
    return (waves * np.clip(length - pixels, 0, 1)).astype(np.float32)


@lru_cache(maxsize=1)
def _bit_order() -> np.ndarray:
    """Indices of the lowest frequencies except the mean, dealt to the bands in turn.

    So each band holds low and high frequencies, and its values are spread evenly.
    """
    row, column = np.divmod(np.arange(NUM_FREQUENCIES**2), NUM_FREQUENCIES)
    lowest = np.argsort(row + column, kind="stable")[1 : 1 + 16 * NUM_BANDS]
    return lowest.reshape(16, NUM_BANDS).T.ravel()


def same_files(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Finds for each image of one set the same file in another set.

    Args:
        earlier: (m,) of dtype `FINGERPRINT`; `content` is 0 if there is no image.
        later: (n,) of dtype `FINGERPRINT`.

    Returns:
        (n,) int64, for each image of `later` the first index in `earlier`, or -1.
    """
    if not len(earlier):
        return np.full(len(later), -1)
    contents, first = np.unique(earlier["content"], return_index=True)
    wanted = later["content"]
    places = np.searchsorted(contents, wanted).clip(max=len(contents) - 1)
    return np.where((contents[places] == wanted) & (wanted != 0), first[places], -1)


def near_duplicates(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Finds for each image of one set a near duplicate in another set.

    Only images with an equal band of 16 bits are compared, not all pairs. Two images that differ in
    at most 7 bits always have an equal band, and 9 in 10 that differ in 12 random bits.

    Args:
        earlier: (m,) of dtype `FINGERPRINT`; `perceptual` is 0 if there is nothing to compare.
        later: (n,) of dtype `FINGERPRINT`.

    Returns:
        (n,) int64, for each image of `later` the index of one in `earlier`, or -1.
    """
    hashes, queries = earlier["perceptual"], later["perceptual"]
    matches = np.full(len(later), -1)
    comparable = np.flatnonzero(hashes.any(axis=1))
    for band in range(NUM_BANDS):
        order = comparable[np.argsort(hashes[comparable, band], kind="stable")]
        unmatched = np.flatnonzero(queries.any(axis=1) & (matches < 0))
        for start in range(0, len(unmatched), _QUERIES_AT_ONCE):
            rows = unmatched[start : start + _QUERIES_AT_ONCE]
            _match_in_band(hashes, order, queries, rows, band, matches)
    return matches


def _match_in_band(
    hashes: np.ndarray,
    order: np.ndarray,
    queries: np.ndarray,
    rows: np.ndarray,
    band: int,
    matches: np.ndarray,
) -> None:
    """Compares the images `rows` with those that have the same band, a few at a time.

    An image that has a match is not compared any further, so that many duplicates are fast.
    """
    keys, wanted = hashes[order, band], queries[rows, band]
    first, last = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    while True:
        more = (matches[rows] < 0) & (first < last)
        rows, first, last = rows[more], first[more], last[more]
        if not len(rows):
            return
        places = first[:, None] + np.arange(_CANDIDATES_AT_ONCE)
        others = order[places.clip(max=len(order) - 1)]
        differing = hashes[others] ^ queries[rows, None]
        distances = np.bitwise_count(differing).sum(axis=2, dtype=np.int64)
        distances[places >= last[:, None]] = 16 * NUM_BANDS
        nearest = distances.argmin(axis=1)[:, None]
        found = np.take_along_axis(distances, nearest, 1)[:, 0] <= MAX_DISTANCE
        matches[rows[found]] = np.take_along_axis(others, nearest, 1)[found, 0]
        first = first + _CANDIDATES_AT_ONCE
